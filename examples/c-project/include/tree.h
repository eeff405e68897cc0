/* Expressions as trees. */
#ifndef CALC_TREE_H
#define CALC_TREE_H

enum node_kind {
    NODE_NUMBER,
    NODE_VARIABLE,
    NODE_NEGATION,
    NODE_OPERATION
};

struct node {
    enum node_kind kind;
    double number;
    char *name;
    char operator;
    struct node *left;
    struct node *right;
};

struct node *tree_number(double number);
struct node *tree_variable(const char *name);
struct node *tree_negation(struct node *operand);
struct node *tree_operation(char operator, struct node *left, struct node *right);
void tree_free(struct node *node);

#endif
