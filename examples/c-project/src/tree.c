#include "tree.h"

#include <stdlib.h>
#include <string.h>

static struct node *new_node(enum node_kind kind) {
    struct node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        abort();
    }
    node->kind = kind;
    return node;
}

struct node *tree_number(double number) {
    struct node *node = new_node(NODE_NUMBER);
    node->number = number;
    return node;
}

struct node *tree_variable(const char *name) {
    struct node *node = new_node(NODE_VARIABLE);
    size_t size = strlen(name) + 1;
    node->name = malloc(size);
    if (node->name == NULL) {
        abort();
    }
    memcpy(node->name, name, size);
    return node;
}

struct node *tree_negation(struct node *operand) {
    struct node *node = new_node(NODE_NEGATION);
    node->left = operand;
    return node;
}

struct node *tree_operation(char operator, struct node *left, struct node *right) {
    struct node *node = new_node(NODE_OPERATION);
    node->operator = operator;
    node->left = left;
    node->right = right;
    return node;
}

void tree_free(struct node *node) {
    if (node != NULL) {
        tree_free(node->left);
        tree_free(node->right);
        free(node->name);
        free(node);
    }
}
