/* A table of named numbers. */
#ifndef CALC_VARIABLES_H
#define CALC_VARIABLES_H

/* How many chains the table has. */
#define TABLE_SIZE 64

struct variable {
    char *name;
    double value;
    struct variable *next;
};

struct variables {
    struct variable *chains[TABLE_SIZE];
};

void variables_set(struct variables *variables, const char *name, double value);
const double *variables_get(const struct variables *variables, const char *name);
void variables_free(struct variables *variables);

#endif
