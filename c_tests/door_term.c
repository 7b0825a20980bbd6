/* Terms: made, taken apart, compared, matched, printed, read, and in the external format. */
#include "door.h"

#include <float.h>
#include <math.h>

/* Prints as, and frees. */
static int is(wharf_term *term, const char *expected)
{
    char *text = wharf_term_text(term);
    int same = text != NULL && strcmp(text, expected) == 0;
    if (!same)
        fprintf(stderr, "%s, not %s\n", text ? text : "NULL", expected);
    wharf_text_free(text);
    wharf_term_free(term);
    return same;
}

static wharf_term *parse(const char *text)
{
    wharf_term *term;
    OK(wharf_term_parse(text, &term));
    return term;
}

static void made(void)
{
    wharf_port port = {5};
    wharf_pid pid = {7};
    wharf_reference reference = {9};
    wharf_term *parts[4];
    CHECK(is(wharf_term_atom("ok"), "ok"));
    CHECK(is(wharf_term_atom("two words"), "'two words'"));
    CHECK(is(wharf_term_bool(true), "true"));
    CHECK(is(wharf_term_int(INT64_MIN), "-9223372036854775808"));
    CHECK(is(wharf_term_uint(UINT64_MAX), "18446744073709551615"));
    CHECK(is(wharf_term_big("-340282366920938463463374607431768211456"),
             "-340282366920938463463374607431768211456"));
    CHECK(is(wharf_term_big("12"), "12"));
    CHECK(is(wharf_term_float(2.5), "2.5"));
    CHECK(is(wharf_term_binary("a\0b", 3), "<<97,0,98>>"));
    CHECK(is(wharf_term_binary(NULL, 0), "<<>>"));
    CHECK(is(wharf_term_bitstring("\xa0", 1, 3), "<<5:3>>"));
    CHECK(is(wharf_term_bitstring("ab", 2, 8), "<<\"ab\">>"));
    CHECK(wharf_term_bitstring("a", 1, 0) == NULL && wharf_term_bitstring("a", 1, 9) == NULL);
    CHECK(is(wharf_term_bitstring(NULL, 0, 3), "<<>>"));
    CHECK(is(wharf_term_byte_list("\1\2", 2), "[1,2]"));
    CHECK(is(wharf_term_charlist("h\xc3\xa9"), "\"h\xc3\xa9\""));
    CHECK(is(wharf_term_pid(pid), "<0.7.0>"));
    CHECK(is(wharf_term_port(port), "#Port<0.5>"));
    CHECK(is(wharf_term_reference(reference), "#Ref<0.0.0.9>"));
    CHECK(wharf_reference_new().id != wharf_reference_new().id);
    CHECK(is(wharf_term_tuple(NULL, 0), "{}"));
    CHECK(is(wharf_term_list(NULL, 0), "[]"));
    CHECK(is(wharf_term_map(NULL, 0), "#{}"));
    parts[0] = wharf_term_atom("a");
    parts[1] = wharf_term_int(1);
    parts[2] = wharf_term_atom("b");
    parts[3] = wharf_term_cons(wharf_term_int(2), wharf_term_atom("rest"));
    CHECK(is(wharf_term_map(parts, 2), "#{a => 1,b => [2|rest]}"));

    CHECK(wharf_term_atom(NULL) == NULL);
    CHECK(wharf_term_atom("\xff") == NULL);
    CHECK(wharf_term_big("12x") == NULL && wharf_term_big("") == NULL && wharf_term_big("-") == NULL);
    CHECK(wharf_term_float(HUGE_VAL) == NULL);
    CHECK(wharf_term_binary(NULL, 1) == NULL);
    CHECK(wharf_term_binary("x", (size_t)-1) == NULL);
    CHECK(wharf_term_tuple(NULL, 1) == NULL);
    CHECK(wharf_term_map(NULL, (size_t)-1) == NULL);
    /* One that failed makes all fail, and the others are freed. */
    parts[0] = wharf_term_int(1);
    parts[1] = wharf_term_atom(NULL);
    CHECK(wharf_term_tuple(parts, 2) == NULL);
    SAYS("term 1 is NULL");
    CHECK(wharf_term_cons(wharf_term_int(1), NULL) == NULL);
}

static void taken_apart(void)
{
    wharf_term *term = parse("{text, -5, 18446744073709551615, 2.5, <<\"bytes\">>, [a, 2], "
                             "#{key => value, <<\"k\">> => 1}, true, <0.7.0>, #Port<0.5>, "
                             "#Ref<0.0.0.9>, [], <<5:3>>, [97 | b], [104, [105, <<\"!\">>]]}");
    wharf_term *elements, *key;
    const wharf_term *value;
    const char *name;
    const void *data;
    int64_t number;
    uint64_t natural;
    double real;
    bool truth;
    size_t len, i;
    uint8_t bits;
    wharf_pid pid;
    wharf_port port;
    wharf_reference reference;
    static const wharf_term_kind kinds[] = {
        WHARF_TERM_ATOM,   WHARF_TERM_INTEGER, WHARF_TERM_INTEGER, WHARF_TERM_FLOAT,
        WHARF_TERM_BINARY, WHARF_TERM_LIST,    WHARF_TERM_MAP,     WHARF_TERM_ATOM,
        WHARF_TERM_PID,    WHARF_TERM_PORT,    WHARF_TERM_REFERENCE, WHARF_TERM_NIL,
        WHARF_TERM_BITSTRING, WHARF_TERM_LIST, WHARF_TERM_LIST};

    CHECK(wharf_term_kind_of(term) == WHARF_TERM_TUPLE);
    CHECK(wharf_term_kind_of(NULL) == WHARF_TERM_NONE);
    CHECK(wharf_term_size(term) == sizeof kinds / sizeof *kinds);
    for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
        CHECK(wharf_term_kind_of(wharf_term_element(term, i)) == kinds[i]);
    CHECK(wharf_term_element(term, i) == NULL);
    SAYS("there is no element 15");
    CHECK(wharf_term_element(NULL, 0) == NULL);

    OK(wharf_term_get_atom(wharf_term_element(term, 0), &name));
    CHECK(strcmp(name, "text") == 0);
    CHECK(wharf_term_is_atom(wharf_term_element(term, 0), "text"));
    CHECK(!wharf_term_is_atom(wharf_term_element(term, 0), "tex"));
    CHECK(!wharf_term_is_atom(NULL, "text") && !wharf_term_is_atom(term, NULL));
    OK(wharf_term_get_int(wharf_term_element(term, 1), &number));
    CHECK(number == -5);
    FAILS(RANGE, wharf_term_get_uint(wharf_term_element(term, 1), &natural));
    FAILS(RANGE, wharf_term_get_int(wharf_term_element(term, 2), &number));
    OK(wharf_term_get_uint(wharf_term_element(term, 2), &natural));
    CHECK(natural == UINT64_MAX);
    OK(wharf_term_get_float(wharf_term_element(term, 3), &real));
    CHECK(real > 2.4 && real < 2.6);
    FAILS(TYPE, wharf_term_get_float(wharf_term_element(term, 1), &real));
    SAYS("is an integer, not a float: -5");
    OK(wharf_term_get_binary(wharf_term_element(term, 4), &data, &len));
    CHECK(len == 5 && memcmp(data, "bytes", 5) == 0);
    FAILS(TYPE, wharf_term_get_binary(wharf_term_element(term, 5), &data, &len));
    FAILS(NULL, wharf_term_get_binary(wharf_term_element(term, 4), &data, NULL));
    FAILS(NULL, wharf_term_get_binary(wharf_term_element(term, 4), NULL, &len));
    OK(wharf_term_get_bitstring(wharf_term_element(term, 12), &data, &len, &bits));
    CHECK(len == 1 && bits == 3 && *(const unsigned char *)data == 5 << 5);
    OK(wharf_term_get_bitstring(wharf_term_element(term, 4), &data, &len, &bits));
    CHECK(len == 5 && bits == 8);
    OK(wharf_term_get_bool(wharf_term_element(term, 7), &truth));
    CHECK(truth);
    FAILS(TYPE, wharf_term_get_bool(wharf_term_element(term, 0), &truth));
    OK(wharf_term_get_pid(wharf_term_element(term, 8), &pid));
    OK(wharf_term_get_port(wharf_term_element(term, 9), &port));
    OK(wharf_term_get_reference(wharf_term_element(term, 10), &reference));
    CHECK(pid.id == 7 && port.id == 5 && reference.id == 9);
    FAILS(TYPE, wharf_term_get_pid(wharf_term_element(term, 9), &pid));
    FAILS(NULL, wharf_term_get_pid(NULL, &pid));
    FAILS(NULL, wharf_term_get_pid(wharf_term_element(term, 8), NULL));

    /* Lists and maps. */
    value = wharf_term_element(term, 5);
    CHECK(wharf_term_size(value) == 2);
    OK(wharf_term_elements(value, &elements));
    CHECK(wharf_term_is_atom(wharf_term_element(elements, 0), "a"));
    wharf_term_free(elements);
    CHECK(is(wharf_term_head(value), "a"));
    CHECK(is(wharf_term_tail(value), "[2]"));
    CHECK(wharf_term_head(wharf_term_element(term, 11)) == NULL);
    CHECK(wharf_term_tail(NULL) == NULL);
    FAILS(TYPE, wharf_term_elements(wharf_term_element(term, 13), &elements));
    CHECK(is(wharf_term_tail(wharf_term_element(term, 13)), "b"));
    CHECK(wharf_term_size(wharf_term_element(term, 13)) == 1);
    CHECK(wharf_term_size(wharf_term_element(term, 0)) == (size_t)-1);
    value = wharf_term_element(term, 6);
    CHECK(wharf_term_size(value) == 2);
    OK(wharf_term_elements(value, &elements));
    CHECK(is(elements, "{{key,value},{<<\"k\">>,1}}"));
    key = wharf_term_binary("k", 1);
    OK(wharf_term_map_get(value, key, &value));
    OK(wharf_term_get_int(value, &number));
    CHECK(number == 1);
    FAILS(NOTFOUND, wharf_term_map_get(wharf_term_element(term, 6), term, &value));
    FAILS(TYPE, wharf_term_map_get(term, key, &value));
    OK(wharf_term_map_get_atom(wharf_term_element(term, 6), "key", &value));
    CHECK(wharf_term_is_atom(value, "value"));
    FAILS(NOTFOUND, wharf_term_map_get_atom(wharf_term_element(term, 6), "never seen", &value));
    wharf_term_free(key);
    OK(wharf_term_flatten(wharf_term_element(term, 14), &elements));
    CHECK(is(elements, "<<\"hi!\">>"));
    FAILS(TYPE, wharf_term_flatten(term, &elements));
    wharf_term_free(term);

    term = parse("[104, 233]");
    {
        char *text = wharf_term_charlist_text(term);
        CHECK(text != NULL && strcmp(text, "h\xc3\xa9") == 0);
        wharf_text_free(text);
    }
    wharf_term_free(term);
    term = parse("[a]");
    CHECK(wharf_term_charlist_text(term) == NULL);
    wharf_term_free(term);
}

static void compared(void)
{
    wharf_term *one = parse("1"), *real = parse("1.0"), *two = parse("2"), *same, *variables;
    const wharf_term *size;
    CHECK(wharf_term_compare(one, two) < 0 && wharf_term_compare(two, one) > 0);
    CHECK(wharf_term_compare(one, real) == 0 && !wharf_term_equals(one, real));
    CHECK(wharf_term_compare(NULL, one) < 0 && wharf_term_compare(NULL, NULL) == 0);
    CHECK(!wharf_term_equals(NULL, one) && wharf_term_equals(NULL, NULL));
    same = wharf_term_copy(one);
    CHECK(wharf_term_equals(same, one) && wharf_term_copy(NULL) == NULL);
    wharf_term_free(one);
    wharf_term_free(real);
    wharf_term_free(two);
    CHECK(is(same, "1"));

    same = parse("{ok, 5, [5]}");
    OK(wharf_term_match(same, "{ok, Size, [Size]}", &variables));
    OK(wharf_term_map_get_atom(variables, "Size", &size));
    CHECK(is(wharf_term_copy(size), "5"));
    wharf_term_free(variables);
    OK(wharf_term_match(same, "{ok, _, _}", NULL));
    FAILS(MISMATCH, wharf_term_match(same, "{ok, A, A}", &variables));
    FAILS(SYNTAX, wharf_term_match(same, "{ok,", &variables));
    FAILS(NULL, wharf_term_match(NULL, "_", NULL));
    wharf_term_free(same);
}

static void external(void)
{
    wharf_term *term = parse("{ok, [1, 2.5], <<\"bytes\">>}"), *binary, *again;
    const void *data;
    size_t len, used;
    uint32_t level;
    for (level = 0; level <= 9; level += 9) {
        OK(wharf_term_encode(term, level, &binary));
        OK(wharf_term_get_binary(binary, &data, &len));
        CHECK(*(const unsigned char *)data == 131);
        OK(wharf_term_decode(data, len, &again, NULL));
        CHECK(wharf_term_equals(term, again));
        wharf_term_free(again);
        OK(wharf_term_decode(data, len, &again, &used));
        CHECK(used == len);
        wharf_term_free(again);
        FAILS(SYNTAX, wharf_term_decode(data, len - 1, &again, NULL));
        wharf_term_free(binary);
    }
    OK(wharf_term_decode("\x83\x61\x05tail", 7, &again, &used));
    CHECK(used == 3);
    CHECK(is(again, "5"));
    FAILS(SYNTAX, wharf_term_decode("\x83\x61\x05tail", 7, &again, NULL));
    SAYS("ends after 3 of 7");
    FAILS(SYNTAX, wharf_term_decode("\x84\x61\x05", 3, &again, NULL));
    FAILS(SYNTAX, wharf_term_decode(NULL, 0, &again, NULL));
    FAILS(NULL, wharf_term_decode(NULL, 1, &again, NULL));
    FAILS(RANGE, wharf_term_encode(term, 10, &binary));
    FAILS(NULL, wharf_term_encode(NULL, 0, &binary));
    FAILS(NULL, wharf_term_encode(term, 0, NULL));
    wharf_term_free(term);
}

int main(void)
{
    made();
    taken_apart();
    compared();
    external();
    return 0;
}
