#include "percent.h"

#include <stdio.h>
#include <string.h>

static int checks;
static int failures;

static void check(int holds, const char *what) {
    checks++;
    if (!holds) {
        failures++;
        printf("failed: %s\n", what);
    }
}

static void encoding(void) {
    struct text text = {0};
    check(percent_encode(&text, "a b/\xc3\xa4%", 7), "encoding succeeds");
    check(strcmp(text.bytes, "a%20b/%C3%A4%25") == 0, "only plain characters stay");
    text_free(&text);
}

static void decoding(void) {
    struct text text = {0};
    check(percent_decode(&text, "a%20b/%c3%A4%25"), "decoding succeeds");
    check(strcmp(text.bytes, "a b/\xc3\xa4%") == 0, "digits are read in either case");
    text_free(&text);
    check(!percent_decode(&text, "%4"), "a digit is missing");
    text_free(&text);
    check(!percent_decode(&text, "%4g"), "a digit is none");
    text_free(&text);
}

static void every_byte(void) {
    struct text encoded = {0};
    struct text decoded = {0};
    char bytes[255];
    int at;
    for (at = 0; at < 255; at++) {
        bytes[at] = (char)(at + 1);
    }
    check(percent_encode(&encoded, bytes, sizeof bytes), "every byte can be encoded");
    check(percent_decode(&decoded, encoded.bytes), "and decoded again");
    check(decoded.length == sizeof bytes && memcmp(decoded.bytes, bytes, sizeof bytes) == 0,
          "and is what it was");
    text_free(&encoded);
    text_free(&decoded);
}

int main(void) {
    encoding();
    decoding();
    every_byte();
    printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 3;
}
