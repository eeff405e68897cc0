/* From text to a tree, by recursive descent. */
#ifndef CALC_PARSER_H
#define CALC_PARSER_H

#include <stddef.h>

struct node;

struct parse_error {
    size_t column;
    const char *message;
};

/* Returns NULL and fills in the error where the text is no expression. */
struct node *parse(const char *text, struct parse_error *error);

#endif
