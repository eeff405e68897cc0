#include "token.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void lexer_start(struct lexer *lexer, const char *text) {
    lexer->text = text;
    lexer->position = 0;
}

static struct token take_number(struct lexer *lexer, struct token token) {
    const char *start = lexer->text + lexer->position;
    char *end;
    token.kind = TOKEN_NUMBER;
    token.number = strtod(start, &end);
    lexer->position += (size_t)(end - start);
    return token;
}

static struct token take_name(struct lexer *lexer, struct token token) {
    size_t length = 0;
    token.kind = TOKEN_NAME;
    while (isalnum((unsigned char)lexer->text[lexer->position]) || lexer->text[lexer->position] == '_') {
        if (length < NAME_LENGTH) {
            token.name[length++] = lexer->text[lexer->position];
        }
        lexer->position++;
    }
    return token;
}

struct token lexer_next(struct lexer *lexer) {
    struct token token;
    char first;
    memset(&token, 0, sizeof token);
    while (isspace((unsigned char)lexer->text[lexer->position])) {
        lexer->position++;
    }
    token.column = lexer->position + 1;
    first = lexer->text[lexer->position];
    if (first == '\0') {
        token.kind = TOKEN_END;
        return token;
    }
    if (isdigit((unsigned char)first) || first == '.') {
        return take_number(lexer, token);
    }
    if (isalpha((unsigned char)first) || first == '_') {
        return take_name(lexer, token);
    }
    lexer->position++;
    token.kind = strchr("+-*/()", first) != NULL ? TOKEN_OPERATOR : TOKEN_INVALID;
    token.operator = first;
    return token;
}
