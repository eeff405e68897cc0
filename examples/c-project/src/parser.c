#include "parser.h"
#include "token.h"
#include "tree.h"

struct parser {
    struct lexer lexer;
    struct token token;
    struct parse_error *error;
};

static struct node *parse_sum(struct parser *parser);

static void advance(struct parser *parser) {
    parser->token = lexer_next(&parser->lexer);
}

static int at_operator(const struct parser *parser, char operator) {
    return parser->token.kind == TOKEN_OPERATOR && parser->token.operator == operator;
}

static struct node *fail(struct parser *parser, const char *message) {
    parser->error->column = parser->token.column;
    parser->error->message = message;
    return NULL;
}

static struct node *parse_operand(struct parser *parser) {
    struct node *node;
    if (parser->token.kind == TOKEN_NUMBER) {
        node = tree_number(parser->token.number);
        advance(parser);
        return node;
    }
    if (parser->token.kind == TOKEN_NAME) {
        node = tree_variable(parser->token.name);
        advance(parser);
        return node;
    }
    if (at_operator(parser, '-')) {
        advance(parser);
        node = parse_operand(parser);
        return node == NULL ? NULL : tree_negation(node);
    }
    if (at_operator(parser, '(')) {
        advance(parser);
        node = parse_sum(parser);
        if (node == NULL) {
            return NULL;
        }
        if (!at_operator(parser, ')')) {
            tree_free(node);
            return fail(parser, "a ')' is missing");
        }
        advance(parser);
        return node;
    }
    return fail(parser, "a number or a name is missing");
}

static struct node *parse_chain(struct parser *parser, char first, char second,
                                struct node *(*parse_part)(struct parser *)) {
    struct node *left = parse_part(parser);
    while (left != NULL && (at_operator(parser, first) || at_operator(parser, second))) {
        char operator = parser->token.operator;
        struct node *right;
        advance(parser);
        right = parse_part(parser);
        if (right == NULL) {
            tree_free(left);
            return NULL;
        }
        left = tree_operation(operator, left, right);
    }
    return left;
}

static struct node *parse_product(struct parser *parser) {
    return parse_chain(parser, '*', '/', parse_operand);
}

static struct node *parse_sum(struct parser *parser) {
    return parse_chain(parser, '+', '-', parse_product);
}

struct node *parse(const char *text, struct parse_error *error) {
    struct parser parser;
    struct node *node;
    parser.error = error;
    lexer_start(&parser.lexer, text);
    advance(&parser);
    node = parse_sum(&parser);
    if (node != NULL && parser.token.kind != TOKEN_END) {
        tree_free(node);
        return fail(&parser, "an operator is missing");
    }
    return node;
}
