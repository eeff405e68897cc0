/* calc EXPRESSION [NAME=NUMBER]... prints the value of an expression. */
#include "evaluate.h"
#include "parser.h"
#include "tree.h"
#include "variables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_variable(struct variables *variables, char *word) {
    char *equals = strchr(word, '=');
    char *end;
    double value;
    if (equals == NULL || equals == word) {
        return 0;
    }
    value = strtod(equals + 1, &end);
    if (end == equals + 1 || *end != '\0') {
        return 0;
    }
    *equals = '\0';
    variables_set(variables, word, value);
    return 1;
}

int main(int count, char **words) {
    static struct variables variables;
    struct parse_error error;
    struct node *tree;
    const char *message;
    double value = 0;
    int at;
    if (count < 2) {
        fprintf(stderr, "usage: calc EXPRESSION [NAME=NUMBER]...\n");
        return 2;
    }
    for (at = 2; at < count; at++) {
        if (!set_variable(&variables, words[at])) {
            fprintf(stderr, "calc: '%s' is not NAME=NUMBER\n", words[at]);
            return 2;
        }
    }
    tree = parse(words[1], &error);
    if (tree == NULL) {
        fprintf(stderr, "calc: column %lu: %s\n", (unsigned long)error.column, error.message);
        return 1;
    }
    message = evaluate(tree, &variables, &value);
    tree_free(tree);
    variables_free(&variables);
    if (message != NULL) {
        fprintf(stderr, "calc: %s\n", message);
        return 1;
    }
    printf("%g\n", value);
    return 0;
}
