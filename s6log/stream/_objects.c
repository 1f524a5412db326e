/* The inner loop of making records of lines: see whether a line is a JSON object
   (RFC 8259), put members into it if so, and render it as text if not. Optional:
   objects.py does the same in Python where this is missing.

   A block ends with an LF, which no rule of the grammar takes: what goes on byte by
   byte stops there at the latest and needs no other bound. Only what looks at
   several bytes at once has to know where the block ends.

   Nesting is a stack of bits on the heap: a line may have as many brackets as it
   has bytes, and the stack of the process is small. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define WORD_BITS 64
typedef unsigned char byte;
static const char DIGITS[] = "0123456789abcdef";

typedef struct {
    const char *key, *text;
    Py_ssize_t key_size, size;
    size_t seen; /* the number of the last line that has this key */
} member;

typedef struct {
    const byte *end; /* of the block */
    const char *head, *tail;
    Py_ssize_t head_size, tail_size;
    int escape, has_nul;
    member *members;
    Py_ssize_t count;  /* of members */
    size_t line;       /* number of the line that may be an object */
    uint64_t *nesting; /* a bit for each level: 1 is an object */
    size_t depth, words;
    PyObject *result; /* a bytearray: in 3.11 only that may be made, then grown */
    char *out;
    size_t used, room;
    int failed; /* an exception is set; nothing is written any more */
} job;

/* What follows, up to pass_nested(), reads a part of the grammar: it gives what is
   behind that part, or NULL. */

#define EACH(value) (UINT64_MAX / 255 * (value))

/* Pass the bytes that stand for themselves in a string: all of ASCII but quotes,
   backslashes and control bytes.

   Eight at a time. A byte's highest bit is set if it was, or if the subtraction
   borrows; what a byte borrows can only spoil bytes behind it, and it is the first
   that counts: hence the order of bytes. Measured, MB/s, for objects of 210 bytes
   and for text to be escaped: 2150 and 4700; with a table of all bytes instead,
   1900 and 2330. */
static inline const byte *pass_plain(const byte *p, const byte *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; end - p >= 8; p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        uint64_t hits = word | (word - EACH(0x20)) | ((word ^ EACH('"')) - EACH(1)) |
                        ((word ^ EACH('\\')) - EACH(1));
        if (hits &= EACH(0x80))
            return p + __builtin_ctzll(hits) / 8;
    }
#endif
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* Give the size of the UTF-8 sequence at p, which is no ASCII; 0: it is not valid
   (the Unicode standard, table 3-7: nothing overlong, no surrogates). */
static inline size_t sequence_size(const byte *p)
{
    byte low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    byte high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    if (p[0] < 0xC2 || p[0] > 0xF4 || p[1] < low || p[1] > high)
        return 0;
    if (p[0] < 0xE0)
        return 2;
    if ((p[2] & 0xC0) != 0x80)
        return 0;
    if (p[0] < 0xF0)
        return 3;
    return (p[3] & 0xC0) == 0x80 ? 4 : 0;
}

/* Pass what may stand in a string as it is: plain bytes and valid UTF-8. */
static inline const byte *pass_clean(const byte *p, const byte *end)
{
    while (*(p = pass_plain(p, end)) >= 0x80)
        do {
            size_t size = sequence_size(p);
            if (size == 0)
                return p;
            p += size;
        } while (*p >= 0x80);
    return p;
}

/* Read four hexadecimal digits; negative: there are fewer. */
static long read_unit(const byte *p)
{
    long unit = 0;
    for (int n = 0; n < 4; n++) {
        const char *digit = memchr(DIGITS, p[n] < 'A' ? p[n] : p[n] | 0x20, 16);
        if (digit == NULL)
            return -1;
        unit = unit * 16 + (digit - DIGITS);
    }
    return unit;
}

static const byte *pass_escape(const byte *p)
{
    if (p[1] == 'u')
        return read_unit(p + 2) < 0 ? NULL : p + 6;
    return memchr("\"\\/bfnrt", p[1], 8) ? p + 2 : NULL;
}

static const byte *pass_rest(const byte *p, const byte *end)
{
    while (*(p = pass_clean(p, end)) == '\\')
        if ((p = pass_escape(p)) == NULL)
            return NULL;
    return *p == '"' ? p + 1 : NULL;
}

/* From where the plain bytes at its start end: in most strings that is all. */
static inline const byte *pass_string(const byte *p, const byte *end)
{
    return *p == '"' ? p + 1 : pass_rest(p, end);
}

static inline const byte *pass_blanks(const byte *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\r')
        p++;
    return p;
}

static const byte *pass_digits(const byte *p)
{
    const byte *start = p;
    for (; *p >= '0' && *p <= '9'; p++)
        ;
    return p > start ? p : NULL;
}

static const byte *pass_number(const byte *p)
{
    p += *p == '-';
    p = *p == '0' ? p + 1 : pass_digits(p);
    if (p != NULL && *p == '.')
        p = pass_digits(p + 1);
    if (p != NULL && (*p | 0x20) == 'e') {
        p += p[1] == '+' || p[1] == '-' ? 2 : 1;
        p = pass_digits(p);
    }
    return p;
}

static const byte *pass_word(const byte *p, const char *word)
{
    for (; *word; p++, word++)
        if (*p != (byte)*word)
            return NULL;
    return p;
}

static inline const byte *pass_scalar(const byte *p, const byte *end)
{
    if (*p == '"')
        return pass_string(pass_plain(p + 1, end), end);
    if (*p < 'A')
        return pass_number(p);
    return pass_word(p, *p == 't' ? "true" : *p == 'f' ? "false" : "null");
}

/* Decode the valid escape at *at, or a pair of them, to UTF-8; give its size. A
   surrogate without its other half becomes what is not valid, and in no key. */
static size_t decode(const byte **at, byte out[4])
{
    const byte *p = *at;
    *at += p[1] == 'u' ? 6 : 2;
    if (p[1] != 'u') {
        const char *letter = memchr("b\bf\fn\nr\rt\t", p[1], 10);
        out[0] = letter == NULL ? p[1] : (byte)letter[1];
        return 1;
    }
    long point = read_unit(p + 2);
    long low = p[6] == '\\' && p[7] == 'u' ? read_unit(p + 8) : -1;
    if (point >> 10 == 0xD800 >> 10 && low >> 10 == 0xDC00 >> 10) {
        point = 0x10000 + ((point & 0x3FF) << 10) + (low & 0x3FF);
        *at += 6;
    }
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t n = size - 1; n > 0; n--, point >>= 6)
        out[n] = 0x80 | (point & 0x3F);
    out[0] = (byte)(point | (size == 1 ? 0 : 0xF00 >> size));
    return size;
}

/* Compare a valid string, from behind its first quote on, with a key. */
static int is_equal(const byte *p, const char *key, size_t left)
{
    while (*p != '"') {
        byte out[4] = {*p};
        size_t size = *p == '\\' ? decode(&p, out) : (p++, (size_t)1);
        if (size > left || memcmp(key, out, size) != 0)
            return 0;
        key += size;
        left -= size;
    }
    return left == 0;
}

/* `stop` is where the plain bytes of the key end. */
static void note_key(job *j, const byte *start, const byte *stop)
{
    for (member *m = j->members; m < j->members + j->count; m++) {
        size_t size = (size_t)m->key_size;
        if (*stop == '"' ? stop - start == m->key_size && !memcmp(start, m->key, size)
                         : is_equal(start, m->key, size))
            m->seen = j->line;
    }
}

/* Pass a key, its colon, and the blanks up to its value. */
static inline const byte *pass_key(job *j, const byte *p)
{
    if (*p != '"')
        return NULL;
    const byte *start = p + 1, *stop = pass_plain(start, j->end);
    if ((p = pass_string(stop, j->end)) == NULL)
        return NULL;
    if (j->depth == 1)
        note_key(j, start, stop);
    p = pass_blanks(p);
    return *p == ':' ? pass_blanks(p + 1) : NULL;
}

static int fail(job *j)
{
    PyErr_NoMemory();
    j->failed = 1;
    return 0;
}

static inline int push(job *j, int is_object)
{
    if (j->depth == j->words * WORD_BITS) {
        j->words = 2 * j->words + 1;
        uint64_t *grown = PyMem_Realloc(j->nesting, j->words * sizeof(uint64_t));
        if (grown == NULL)
            return fail(j);
        j->nesting = grown;
    }
    uint64_t *word = &j->nesting[j->depth / WORD_BITS];
    uint64_t bit = UINT64_C(1) << j->depth++ % WORD_BITS;
    *word = is_object ? *word | bit : *word & ~bit;
    return 1;
}

static inline int is_in_object(const job *j)
{
    return j->nesting[(j->depth - 1) / WORD_BITS] >> (j->depth - 1) % WORD_BITS & 1;
}

/* Pass an object or array with all that is in it, and the blanks behind it. */
static const byte *pass_nested(job *j, const byte *p)
{
    int in_object;
    for (j->depth = 0;;) { /* at the start of a value */
        if (*p == '{' || *p == '[') {
            in_object = *p == '{';
            if (!push(j, in_object))
                return NULL;
            p = pass_blanks(p + 1);
            if (*p != (in_object ? '}' : ']')) {
                if (in_object && (p = pass_key(j, p)) == NULL)
                    return NULL;
                continue;
            }
        } else {
            if ((p = pass_scalar(p, j->end)) == NULL)
                return NULL;
            p = pass_blanks(p);
            in_object = is_in_object(j);
        }
        while (*p == (in_object ? '}' : ']')) {
            p = pass_blanks(p + 1);
            if (--j->depth == 0)
                return p;
            in_object = is_in_object(j);
        }
        if (*p != ',')
            return NULL;
        p = pass_blanks(p + 1);
        if (in_object && (p = pass_key(j, p)) == NULL)
            return NULL;
    }
}

static int grow(job *j, size_t size)
{
    if (size > PY_SSIZE_T_MAX / 4 || j->room > PY_SSIZE_T_MAX / 4)
        return fail(j);
    j->room = 2 * j->room + size;
    if (PyByteArray_Resize(j->result, (Py_ssize_t)j->room) < 0)
        return fail(j);
    j->out = PyByteArray_AsString(j->result);
    return 1;
}

static inline void put(job *j, const void *bytes, size_t size)
{
    if (j->failed || (size > j->room - j->used && !grow(j, size)))
        return;
    memcpy(j->out + j->used, bytes, size);
    j->used += size;
}

/* NUL stands for a line break, and a byte that is no UTF-8 becomes U+FFFD. */
static void put_escape(job *j, byte b)
{
    static const char letters[] = "nuuuuuuubtnufruuuuuuuuuuuuuuuuuu";
    char text[] = {'\\', b < 0x20 ? letters[b] : (char)b, '0', '0', DIGITS[b >> 4],
                   DIGITS[b & 15]};
    if (b >= 0x80)
        put(j, "\xEF\xBF\xBD", 3);
    else
        put(j, text, text[1] == 'u' ? 6 : 2);
}

/* Write a line in base64 (RFC 4648), its NULs as the line breaks they are. */
static void put_base64(job *j, const byte *line, size_t size)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < size; at += 3) {
        unsigned long bits = 0;
        char out[4];
        for (size_t n = at; n < at + 3; n++)
            bits = bits << 8 | (n >= size ? 0 : line[n] == 0 ? '\n' : line[n]);
        for (size_t n = 0; n < 4; n++)
            out[n] = at + n > size ? '=' : digits[bits >> (18 - 6 * n) & 63];
        put(j, out, 4);
    }
}

/* End a record; like those that follow, this gives the start of the next line. */
static const byte *put_end(job *j, const byte *lf)
{
    put(j, j->tail, (size_t)j->tail_size);
    put(j, "\n", 1);
    return lf + 1;
}

static const byte *put_escaped(job *j, const byte *line)
{
    static const char more[] = "\",\"msg_base64\":\"";
    const byte *start = line, *p = line;
    int is_bad = 0;
    put(j, j->head, (size_t)j->head_size);
    while (*(p = pass_clean(p, j->end)) != '\n') {
        put(j, start, (size_t)(p - start));
        put_escape(j, *p);
        is_bad |= *p >= 0x80;
        start = ++p;
    }
    put(j, start, (size_t)(p - start));
    if (is_bad) {
        put(j, more, sizeof more - 1);
        put_base64(j, line, (size_t)(p - line));
    }
    return put_end(j, p);
}

static const byte *put_text(job *j, const byte *line)
{
    const byte *lf = memchr(line, '\n', (size_t)(j->end - line)), *nul;
    put(j, j->head, (size_t)j->head_size);
    while (j->has_nul && (nul = memchr(line, 0, (size_t)(lf - line))) != NULL) {
        put(j, line, (size_t)(nul - line));
        put(j, "\\n", 2);
        line = nul + 1;
    }
    put(j, line, (size_t)(lf - line));
    return put_end(j, lf);
}

static const byte *put_object(job *j, const byte *line, const byte *in, const byte *lf)
{
    int any = 0;
    put(j, line, (size_t)(in - line));
    for (const member *m = j->members; m < j->members + j->count; m++) {
        if (m->seen == j->line)
            continue;
        put(j, ",", (size_t)any);
        put(j, m->text, (size_t)m->size);
        any = 1;
    }
    if (any && *pass_blanks(in) != '}')
        put(j, ",", 1);
    put(j, in, (size_t)(lf + 1 - in));
    return lf + 1;
}

static const byte *put_line(job *j, const byte *line)
{
    const byte *brace = pass_blanks(line);
    if (*brace == '{') {
        j->line++;
        const byte *lf = pass_nested(j, brace);
        if (lf != NULL && *lf == '\n')
            return put_object(j, line, brace + 1, lf);
    }
    return j->escape ? put_escaped(j, line) : put_text(j, line);
}

static PyObject *render_block(job *j, const byte *block)
{
    size_t length = (size_t)(j->end - block);
    j->result = PyByteArray_FromStringAndSize(NULL, 0);
    if (j->result == NULL)
        return NULL;
    j->has_nul = memchr(block, 0, length) != NULL;
    grow(j, length + length / 2);
    while (block < j->end && !j->failed)
        block = put_line(j, block);
    if (j->failed || PyByteArray_Resize(j->result, (Py_ssize_t)j->used) < 0) {
        Py_DecRef(j->result);
        return NULL;
    }
    return j->result;
}

static int read_members(job *j, PyObject *members)
{
    j->count = PyTuple_Size(members);
    j->members = PyMem_Calloc((size_t)j->count + 1, sizeof(member));
    if (j->members == NULL)
        return fail(j);
    for (Py_ssize_t n = 0; n < j->count; n++) {
        member *m = &j->members[n];
        PyObject *pair = PyTuple_GetItem(members, n);
        if (!PyTuple_Check(pair))
            PyErr_SetString(PyExc_TypeError, "a member is not a tuple");
        else if (PyArg_ParseTuple(pair, "y#y#", &m->key, &m->key_size, &m->text,
                                  &m->size))
            continue;
        return 0;
    }
    return 1;
}

static PyObject *render(PyObject *module, PyObject *args)
{
    Py_buffer data;
    PyObject *members, *result = NULL;
    Py_ssize_t end;
    job j = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "y*ny#y#O!p:render", &data, &end, &j.head, &j.head_size,
                          &j.tail, &j.tail_size, &PyTuple_Type, &members, &j.escape))
        return NULL;
    const byte *block = data.buf;
    if (end <= 0 || end > data.len || block[end - 1] != '\n') {
        PyErr_SetString(PyExc_ValueError, "not a block of whole lines");
    } else if (read_members(&j, members)) {
        j.end = block + end;
        result = render_block(&j, block);
    }
    PyMem_Free(j.members);
    PyMem_Free(j.nesting);
    PyBuffer_Release(&data);
    return result;
}

static PyMethodDef functions[] = {
    {"render", render, METH_VARARGS,
     "render(data, end, text_head, text_tail, members, escape) -> bytearray"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_objects",
    .m_doc = "The inner loop of making records of lines.",
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__objects(void)
{
    return PyModule_Create(&definition);
}
