/* The value of a tree. */
#ifndef CALC_EVALUATE_H
#define CALC_EVALUATE_H

struct node;
struct variables;

/* Returns NULL and fills in the value, or returns what is wrong. */
const char *evaluate(const struct node *node, const struct variables *variables, double *value);

#endif
