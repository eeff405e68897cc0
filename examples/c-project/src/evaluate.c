#include "evaluate.h"
#include "tree.h"
#include "variables.h"

#include <stddef.h>

static const char *operate(char operator, double left, double right, double *value) {
    switch (operator) {
    case '+':
        *value = left + right;
        return NULL;
    case '-':
        *value = left - right;
        return NULL;
    case '*':
        *value = left * right;
        return NULL;
    default:
        if (right == 0) {
            return "division by zero";
        }
        *value = left / right;
        return NULL;
    }
}

const char *evaluate(const struct node *node, const struct variables *variables, double *value) {
    const double *known;
    const char *message;
    double left, right;
    switch (node->kind) {
    case NODE_NUMBER:
        *value = node->number;
        return NULL;
    case NODE_VARIABLE:
        known = variables_get(variables, node->name);
        if (known == NULL) {
            return "a variable has no value";
        }
        *value = *known;
        return NULL;
    case NODE_NEGATION:
        message = evaluate(node->left, variables, &left);
        if (message == NULL) {
            *value = -left;
        }
        return message;
    default:
        message = evaluate(node->left, variables, &left);
        if (message == NULL) {
            message = evaluate(node->right, variables, &right);
        }
        return message != NULL ? message : operate(node->operator, left, right, value);
    }
}
