/* The words of an expression. */
#ifndef CALC_TOKEN_H
#define CALC_TOKEN_H

#include <stddef.h>

/* How many characters of a name count. */
#define NAME_LENGTH 31

enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_NAME,
    TOKEN_OPERATOR,
    TOKEN_INVALID
};

struct token {
    enum token_kind kind;
    size_t column;
    double number;
    char name[NAME_LENGTH + 1];
    char operator;
};

struct lexer {
    const char *text;
    size_t position;
};

void lexer_start(struct lexer *lexer, const char *text);
struct token lexer_next(struct lexer *lexer);

#endif
