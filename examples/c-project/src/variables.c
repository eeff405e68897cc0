#include "variables.h"

#include <stdlib.h>
#include <string.h>

static unsigned chain_of(const char *name) {
    unsigned hash = 5381;
    while (*name != '\0') {
        hash = hash * 33 + (unsigned char)*name++;
    }
    return hash % TABLE_SIZE;
}

static struct variable *find(const struct variables *variables, const char *name) {
    struct variable *variable = variables->chains[chain_of(name)];
    while (variable != NULL && strcmp(variable->name, name) != 0) {
        variable = variable->next;
    }
    return variable;
}

void variables_set(struct variables *variables, const char *name, double value) {
    struct variable *variable = find(variables, name);
    if (variable == NULL) {
        struct variable **chain = &variables->chains[chain_of(name)];
        size_t size = strlen(name) + 1;
        variable = malloc(sizeof *variable);
        if (variable == NULL || (variable->name = malloc(size)) == NULL) {
            abort();
        }
        memcpy(variable->name, name, size);
        variable->next = *chain;
        *chain = variable;
    }
    variable->value = value;
}

const double *variables_get(const struct variables *variables, const char *name) {
    const struct variable *variable = find(variables, name);
    return variable == NULL ? NULL : &variable->value;
}

void variables_free(struct variables *variables) {
    int chain;
    for (chain = 0; chain < TABLE_SIZE; chain++) {
        struct variable *variable = variables->chains[chain];
        while (variable != NULL) {
            struct variable *next = variable->next;
            free(variable->name);
            free(variable);
            variable = next;
        }
        variables->chains[chain] = NULL;
    }
}
