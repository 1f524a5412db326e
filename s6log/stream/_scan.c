/* The inner loops of the selection: follow an automaton, or hop to a text; then
   gather the lines that were chosen.

   Optional: everything here is done in Python as well where this is missing. The
   automaton itself is made in Python (automaton.py); scan() only follows the
   transitions that are in its table, and stops at one that is not.

   A lookup has to wait for the one before, whose result is the state: some
   nanoseconds a byte. But every line begins in the same state; so the block is
   cut at line ends into LANES parts that are walked side by side, and the
   processor works on one lane while another waits. Measured, ns a byte: 2.8
   with one lane, 0.83 with 4, 0.82 with 6, 0.87 with 8 (-O3; 1.2 with -O2).

   No mistake in Python becomes a crash: all positions and states are checked on
   entry, and whatever the table holds, a lookup stays inside its bounds. */

#define _GNU_SOURCE /* memrchr: glibc and musl have it */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define LANES 4

/* What scan() returns, beside the number of a lane. */
#define DONE (-1)
#define FULL (-2)
#define WRONG (-3) /* raised as ValueError */

/* Entries of the table; automaton.py, which makes them, explains them. */
#define SPECIAL 0x80000000u
#define MISSING 0x40000000u
#define SETTLED 0x20000000u
#define OUTCOME 0x1fffffffu
#define SLACK 256 /* entries after the last row: any byte may be a class */

/* Both are shared with Python, as unsigned 64-bit numbers. */
typedef struct {
    uint64_t at, end; /* what is left of this lane's part of the block */
    uint64_t state;   /* 0: nothing is left */
    uint64_t count;   /* of runs recorded */
} lane;

typedef struct {
    uint64_t end, outcome;
} run;

typedef struct {
    const unsigned char *block, *classes;
    const uint32_t *table;
    uint32_t size; /* of the table without slack; a power of two */
    uint32_t start;
    run *runs;
    size_t room; /* for runs, in each lane */
    int merge;
    lane lanes[LANES];
} job;

/* Walk all lanes until one of them meets an entry that is no state. Gives the
   number of bytes taken by each.

   States are less than `size`, a power of two: one comparison tells whether all
   of them are. A lane that is through stays in row 0 and reads the block again
   from its start: the others have fewer bytes left than the whole block has. */
static size_t walk(const job *j, uint32_t entries[LANES])
{
    const unsigned char *bytes[LANES];
    const unsigned char *classes = j->classes;
    const uint32_t *table = j->table, size = j->size;
    uint32_t states[LANES], any;
    uint64_t left = UINT64_MAX;
    size_t taken = 0;
    for (int n = 0; n < LANES; n++) {
        const lane *l = &j->lanes[n];
        states[n] = (uint32_t)l->state;
        bytes[n] = j->block + (l->at < l->end ? l->at : 0);
        if (l->at < l->end && l->end - l->at < left)
            left = l->end - l->at;
    }
    do {
        any = 0;
        for (int n = 0; n < LANES; n++) {
            states[n] = table[states[n] + classes[bytes[n][taken]]];
            any |= states[n];
        }
        taken++;
    } while (any < size && taken < left);
    memcpy(entries, states, sizeof states);
    return taken;
}

/* Act on the special entry that lane n met with the byte before its `at`. Gives
   DONE when a line was recorded, n when its transition is missing, or WRONG. */
static int meet(job *j, int n, uint32_t entry)
{
    lane *l = &j->lanes[n];
    run *runs = j->runs + (size_t)n * j->room;
    if (!(entry & SPECIAL))
        return WRONG;
    if (entry & MISSING) {
        l->at--;
        l->state = entry & ~(SPECIAL | MISSING);
        return l->state < j->size ? n : WRONG;
    }
    if (entry & SETTLED) {
        const unsigned char *at = j->block + l->at;
        const unsigned char *lf = memchr(at, '\n', (size_t)(l->end - l->at));
        if (lf == NULL)
            return WRONG;
        l->at += (uint64_t)(lf - at) + 1;
    }
    entry &= OUTCOME;
    if (j->merge && l->count && runs[l->count - 1].outcome == entry)
        l->count--;
    runs[l->count].end = l->at;
    runs[l->count++].outcome = entry;
    l->state = l->at < l->end ? j->start : 0;
    return DONE;
}

/* Walk to the next special entry, and act on it in all lanes that met one. */
static int step(job *j)
{
    uint32_t entries[LANES];
    size_t taken = walk(j, entries);
    int result = WRONG;
    for (int n = 0; n < LANES; n++) {
        lane *l = &j->lanes[n];
        if (l->at == l->end) {
            if (entries[n] != 0)
                return WRONG;
            continue;
        }
        l->at += taken;
        l->state = entries[n];
        if (entries[n] < j->size)
            continue;
        int met = meet(j, n, entries[n]);
        if (met == WRONG)
            return WRONG;
        if (result < 0)
            result = met;
    }
    return result; /* WRONG still: a part of the block does not end its line */
}

/* Put the lanes' runs one behind the other; the first lane gets their number. */
static void join(job *j)
{
    uint64_t count = j->lanes[0].count;
    for (int n = 1; n < LANES; n++) {
        const run *next = j->runs + (size_t)n * j->room;
        uint64_t more = j->lanes[n].count;
        if (j->merge && count && more && j->runs[count - 1].outcome == next->outcome)
            count--;
        memmove(j->runs + count, next, (size_t)more * sizeof(run));
        count += more;
        j->lanes[n].count = 0;
    }
    j->lanes[0].count = count;
}

static int advance(job *j)
{
    for (;;) {
        int busy = 0;
        for (int n = 0; n < LANES; n++) {
            busy |= j->lanes[n].at < j->lanes[n].end;
            if (j->lanes[n].count == j->room)
                return FULL;
        }
        if (!busy) {
            join(j);
            return DONE;
        }
        int result = step(j);
        if (result != DONE)
            return result;
    }
}

/* Cut the block at line ends into a part for each lane; parts may be empty. */
static void cut(job *j, size_t length)
{
    size_t at = 0;
    for (size_t n = 1; n <= LANES; n++) {
        size_t end = n < LANES ? length / LANES * n : length;
        if (end > at) {
            const unsigned char *last = j->block + end - 1;
            const unsigned char *lf = memchr(last, '\n', length - end + 1);
            end = lf == NULL ? length : (size_t)(lf - j->block) + 1;
        } else {
            end = at; /* one line is longer than a part */
        }
        lane l = {at, end, at < end ? j->start : 0, 0};
        j->lanes[n - 1] = l;
        at = end;
    }
}

static int is_begun(const job *j)
{
    uint64_t any = 0;
    for (int n = 0; n < LANES; n++)
        any |= j->lanes[n].end;
    return any != 0;
}

static int is_valid(const job *j, size_t length)
{
    for (int n = 0; n < LANES; n++) {
        const lane *l = &j->lanes[n];
        if (l->at > l->end || l->end > length || l->count > j->room ||
            l->state >= j->size || (l->at == l->end && l->state != 0) ||
            (l->at < l->end && j->block[l->end - 1] != '\n'))
            return 0;
    }
    return 1;
}

static int is_aligned(const Py_buffer *view, size_t item)
{
    return (uintptr_t)view->buf % item == 0;
}

static PyObject *invalid(const char *why)
{
    PyErr_SetString(PyExc_ValueError, why);
    return NULL;
}

static PyObject *scan_buffers(job *j, const Py_buffer *block, const Py_buffer *table,
                              const Py_buffer *cursors, const Py_buffer *runs)
{
    size_t entries = (size_t)table->len / sizeof(uint32_t);
    if (!is_aligned(table, sizeof(uint32_t)) || !is_aligned(runs, sizeof(uint64_t)))
        return invalid("a buffer is not aligned");
    if (block->len == 0 || cursors->len != sizeof j->lanes || entries <= SLACK)
        return invalid("a buffer has the wrong size");
    j->block = block->buf;
    j->table = table->buf;
    j->runs = runs->buf;
    j->room = (size_t)runs->len / (LANES * sizeof(run));
    for (j->size = 1; j->size <= (entries - SLACK) / 2 && j->size < MISSING;)
        j->size *= 2;
    memcpy(j->lanes, cursors->buf, sizeof j->lanes);
    if (!is_begun(j))
        cut(j, (size_t)block->len);
    if (j->start == 0 || j->start >= j->size || !is_valid(j, (size_t)block->len))
        return invalid("a lane is out of bounds");
    int result = advance(j);
    memcpy(cursors->buf, j->lanes, sizeof j->lanes);
    return result == WRONG ? invalid("the table is wrong") : PyLong_FromLong(result);
}

static PyObject *scan(PyObject *module, PyObject *args)
{
    Py_buffer block, classes, table, cursors, runs;
    PyObject *result = NULL;
    job j;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*w*w*Ip:scan", &block, &classes, &table, &cursors,
                          &runs, &j.start, &j.merge))
        return NULL;
    j.classes = classes.buf;
    if (classes.len != 256)
        invalid("not a class for each byte");
    else
        result = scan_buffers(&j, &block, &table, &cursors, &runs);
    PyBuffer_Release(&block);
    PyBuffer_Release(&classes);
    PyBuffer_Release(&table);
    PyBuffer_Release(&cursors);
    PyBuffer_Release(&runs);
    return result;
}

typedef struct {
    const unsigned char *block, *text;
    size_t length, size; /* of the two */
    size_t pivot;        /* the byte of the text to look for */
    unsigned int hit, miss;
    run *runs;
    size_t room, count;
} hunt;

/* Record the lines up to `end`; false when there is no room. */
static int add(hunt *h, size_t end, unsigned int outcome)
{
    if (h->count == h->room)
        return 0;
    run r = {end, outcome};
    h->runs[h->count++] = r;
    return 1;
}

/* Record the line with a hit at `at`, and those without before it. Lines before
   `done` are recorded. Gives the end of the line, 0 when there is no room. */
static size_t add_hit(hunt *h, size_t done, size_t at)
{
    const unsigned char *lf = memrchr(h->block + done, '\n', at - done);
    size_t start = lf == NULL ? done : (size_t)(lf - h->block) + 1;
    if (start > done && !add(h, start, h->miss))
        return 0;
    if (start == done && h->count > 0)
        h->count--; /* the line before was a hit, too */
    lf = memchr(h->block + at, '\n', h->length - at);
    done = lf == NULL ? h->length : (size_t)(lf - h->block) + 1;
    return add(h, done, h->hit) ? done : 0;
}

/* Find the lines with the text: hop from one place of its pivot to the next.
   Gives the number of runs, or FULL. */
static Py_ssize_t hop_lines(hunt *h)
{
    size_t done = 0;
    for (size_t at = h->pivot; at < h->length; at++) {
        size_t left = h->length - at;
        const unsigned char *found = memchr(h->block + at, h->text[h->pivot], left);
        if (found == NULL)
            break;
        at = (size_t)(found - h->block);
        if (h->length - at < h->size - h->pivot ||
            memcmp(found - h->pivot, h->text, h->size) != 0)
            continue;
        done = add_hit(h, done, at);
        if (done == 0)
            return FULL;
        at = done + h->pivot - 1;
    }
    return done == h->length || add(h, h->length, h->miss) ? (Py_ssize_t)h->count : FULL;
}

static PyObject *hop(PyObject *module, PyObject *args)
{
    Py_buffer block, text, runs;
    unsigned int pivot;
    PyObject *result = NULL;
    hunt h;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*Iw*II:hop", &block, &text, &pivot, &runs, &h.hit,
                          &h.miss))
        return NULL;
    if (pivot >= (size_t)text.len || !is_aligned(&runs, sizeof(uint64_t))) {
        invalid("no such byte in the text, or runs not aligned");
    } else {
        h.block = block.buf;
        h.text = text.buf;
        h.length = (size_t)block.len;
        h.size = (size_t)text.len;
        h.pivot = pivot;
        h.runs = runs.buf;
        h.room = (size_t)runs.len / sizeof(run);
        h.count = 0;
        result = PyLong_FromSsize_t(hop_lines(&h));
    }
    PyBuffer_Release(&block);
    PyBuffer_Release(&text);
    PyBuffer_Release(&runs);
    return result;
}

/* What gather() writes to: nothing at all while it measures. */
typedef struct {
    char *out;
    size_t size;
} sink;

static int put(sink *s, const void *bytes, size_t size)
{
    if (size > (size_t)PY_SSIZE_T_MAX - s->size) {
        PyErr_NoMemory();
        return -1;
    }
    if (s->out != NULL)
        memcpy(s->out + s->size, bytes, size);
    s->size += size;
    return 0;
}

/* Write lines, each of them once for each prefix. */
static int put_lines(sink *s, PyObject *prefixes, const char *at, const char *end)
{
    Py_ssize_t kinds = PyTuple_Size(prefixes), length;
    for (const char *next; at < end; at = next) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        next = lf == NULL ? end : lf + 1;
        for (Py_ssize_t n = 0; n < kinds; n++) {
            char *prefix;
            PyObject *item = PyTuple_GetItem(prefixes, n);
            if (PyBytes_AsStringAndSize(item, &prefix, &length) < 0 ||
                put(s, prefix, (size_t)length) < 0 || put(s, at, (size_t)(next - at)) < 0)
                return -1;
        }
    }
    return 0;
}

/* Write a run; without prefixes, or with one that is empty, all in one piece. */
static int put_run(sink *s, PyObject *prefixes, const char *at, const char *end)
{
    if (!PyTuple_Check(prefixes)) {
        PyErr_SetString(PyExc_TypeError, "prefixes are not a tuple");
        return -1;
    }
    Py_ssize_t kinds = PyTuple_Size(prefixes);
    if (kinds == 0)
        return 0;
    PyObject *first = PyTuple_GetItem(prefixes, 0);
    if (kinds == 1 && PyBytes_Check(first) && PyBytes_Size(first) == 0)
        return put(s, at, (size_t)(end - at));
    return put_lines(s, prefixes, at, end);
}

static int put_runs(sink *s, const Py_buffer *block, const run *runs, Py_ssize_t count,
                    PyObject *table)
{
    const char *bytes = block->buf;
    uint64_t at = 0;
    for (; count > 0; count--, at = runs++->end) {
        if (runs->end < at || runs->end > (uint64_t)block->len ||
            runs->outcome > OUTCOME) {
            invalid("the runs are wrong");
            return -1;
        }
        PyObject *prefixes = PyTuple_GetItem(table, (Py_ssize_t)runs->outcome);
        if (prefixes == NULL || put_run(s, prefixes, bytes + at, bytes + runs->end) < 0)
            return -1;
    }
    return 0;
}

/* Measure, then write: the result is made once, in its size. */
static PyObject *gather_runs(const Py_buffer *block, const run *runs, Py_ssize_t count,
                             PyObject *table)
{
    sink s = {NULL, 0};
    if (put_runs(&s, block, runs, count, table) < 0)
        return NULL;
    PyObject *result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)s.size);
    if (result == NULL)
        return NULL;
    s.out = PyBytes_AsString(result);
    s.size = 0;
    put_runs(&s, block, runs, count, table); /* cannot fail the second time */
    return result;
}

static PyObject *gather(PyObject *module, PyObject *args)
{
    Py_buffer block, runs;
    PyObject *table, *result = NULL;
    Py_ssize_t count;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*nO!:gather", &block, &runs, &count, &PyTuple_Type,
                          &table))
        return NULL;
    if (count < 0 || (size_t)count > (size_t)runs.len / sizeof(run) ||
        !is_aligned(&runs, sizeof(uint64_t)))
        invalid("not that many runs");
    else
        result = gather_runs(&block, runs.buf, count, table);
    PyBuffer_Release(&block);
    PyBuffer_Release(&runs);
    return result;
}

static PyMethodDef functions[] = {
    {"scan", scan, METH_VARARGS,
     "scan(block, classes, table, cursors, runs, start, merge) -> int"},
    {"hop", hop, METH_VARARGS, "hop(block, text, pivot, runs, hit, miss) -> int"},
    {"gather", gather, METH_VARARGS, "gather(block, runs, count, table) -> bytes"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_scan",
    .m_doc = "The inner loops of the selection.",
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__scan(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddIntConstant(module, "LANES", LANES) < 0) {
        Py_DecRef(module);
        return NULL;
    }
    return module;
}
