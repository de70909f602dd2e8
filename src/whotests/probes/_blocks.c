/* Blocks in C, with the same attributes and the same meaning as those of `probes.runtime`.

Such a block is no object that the garbage collector looks at. A probe hits one slot of it in one
step (`h5` disarms `s5` and adds the block to the log; it is a descriptor and no call, so it cannot
fail at the recursion limit), and the patterns that a block is known for are found by the bits of
its slots. What is new is left to `probes.collecting`, which then tells it to `learn`. And blocks
are put into code that was read from the cache, in place.

All of it runs under the interpreter lock and calls nothing in Python, so nothing comes in between.
(A block that is let go of could; those of loaded files are there until the process ends. And `swap`
may make objects, of which audit hooks hear and at which the garbage collector may look.) Only the
stable ABI of Python 3.11 is used, and of reference counts its functions: the macros of later
headers take None to be immortal, which in 3.11 it is not, and what was compiled with those would
end a 3.11. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <structmember.h>

#define MOST_SLOTS 32 /* as `runtime.BLOCK_SIZE`: one bit of a mask each */
#define INTERFACE 1   /* as `runtime` wants it: changes with what the functions below mean */

typedef struct {
    PyObject *number; /* NULL: the place is free */
    uint32_t mask;    /* the slots that are disarmed */
} Pattern;

typedef struct {
    PyObject_HEAD
    PyObject *log, *file, *lines, *numbers, *index, *family, *first_line;
    Pattern *patterns; /* those that it is known for, in a table by the hash of their masks */
    uint32_t room, used;
    uint32_t count; /* of slots */
    PyObject *slots[];
} Block;

static const struct {
    const char *name;
    Py_ssize_t offset;
} fields[] = {
    {"log", offsetof(Block, log)},         {"file", offsetof(Block, file)},
    {"lines", offsetof(Block, lines)},     {"numbers", offsetof(Block, numbers)},
    {"index", offsetof(Block, index)},     {"family", offsetof(Block, family)},
    {"first_line", offsetof(Block, first_line)},
};
#define FIELDS ((int)(sizeof fields / sizeof fields[0]))

static PyObject *base, *code_type, *the_log, *no_numbers, *no_lines, *zero, *the_family;

/* Attributes of code. */
enum { CONSTANTS, NAMES, LINE_TABLE, FIRST_LINE, OF_CODE };
static PyObject *of_code[OF_CODE];

static void end_block(PyObject *self);

/* Whether an object of the log is such a block. Their classes cannot be derived from. */
static int
is_block(PyObject *entry)
{
    return !PyLong_CheckExact(entry)
           && PyType_GetSlot(Py_TYPE(entry), Py_tp_dealloc) == (void *)end_block;
}

static void
put(PyObject **place, PyObject *value)
{
    PyObject *before = *place;
    Py_IncRef(value);
    *place = value;
    Py_DecRef(before);
}

static PyObject *
none(void)
{
    Py_IncRef(Py_None);
    return Py_None;
}

/* -- a block ---------------------------------------------------------------------------- */

static uint32_t
disarmed(Block *block)
{
    uint32_t mask = 0;
    for (uint32_t slot = 0; slot < block->count; slot++) {
        mask |= (uint32_t)(block->slots[slot] == Py_None) << slot;
    }
    return mask;
}

/* Of its class, the number of slots follows from the size of its objects. */
static PyObject *
new_block(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *file, *index, *family;
    if (!PyArg_UnpackTuple(args, "Block", 3, 3, &file, &index, &family)) {
        return NULL;
    }
    PyObject *size = PyObject_GetAttrString((PyObject *)type, "__basicsize__");
    Py_ssize_t octets = size == NULL ? -1 : PyLong_AsSsize_t(size);
    Py_DecRef(size);
    Block *block = octets < 0 ? NULL : (Block *)PyType_GenericAlloc(type, 0);
    if (block == NULL) {
        return NULL;
    }
    block->count = (uint32_t)((octets - offsetof(Block, slots)) / sizeof(PyObject *));
    put(&block->log, the_log);
    put(&block->file, file);
    put(&block->lines, no_lines);
    put(&block->numbers, no_numbers);
    put(&block->index, index);
    put(&block->family, family);
    put(&block->first_line, zero);
    for (uint32_t slot = 0; slot < block->count; slot++) {
        put(&block->slots[slot], Py_True);
    }
    return (PyObject *)block;
}

static void
end_block(PyObject *self)
{
    Block *block = (Block *)self;
    PyTypeObject *type = Py_TYPE(self);
    for (int field = 0; field < FIELDS; field++) {
        Py_DecRef(*(PyObject **)((char *)block + fields[field].offset));
    }
    for (uint32_t place = 0; place < block->room; place++) {
        Py_DecRef(block->patterns[place].number);
    }
    PyMem_Free(block->patterns);
    for (uint32_t slot = 0; slot < block->count; slot++) {
        Py_DecRef(block->slots[slot]);
    }
    PyObject_Free(self);
    Py_DecRef((PyObject *)type);
}

/* `h5`: what a probe does once it is reached. False, for where only an expression can stand. If
there is no memory for the log, the slot stays armed. */
static PyObject *
hit(PyObject *self, void *slot)
{
    if (PyList_Append(the_log, self) < 0) {
        return NULL;
    }
    put(&((Block *)self)->slots[(intptr_t)slot], Py_None);
    Py_IncRef(Py_False);
    return Py_False;
}

/* Where in the table the pattern is, or would be; NULL if it is not, and all places are taken. */
static Pattern *
place_of(Pattern *patterns, uint32_t room, uint32_t mask)
{
    uint32_t hash = mask * UINT32_C(0x9E3779B1);
    hash ^= hash >> 15;
    for (uint32_t tried = 0; tried < room; tried++) {
        Pattern *place = &patterns[(hash + tried) & (room - 1)]; /* room: a power of two */
        if (place->number == NULL || place->mask == mask) {
            return place;
        }
    }
    return NULL;
}

/* The number of the pattern, borrowed, or NULL. */
static PyObject *
known(Block *block, uint32_t mask)
{
    Pattern *place = place_of(block->patterns, block->room, mask);
    return place == NULL ? NULL : place->number;
}

/* It is known from now on, unless there is no memory. */
static void
add_known(Block *block, uint32_t mask, PyObject *number)
{
    if (block->used >= block->room - block->room / 4) {
        uint32_t room = block->room ? 2 * block->room : 1;
        Pattern *patterns = PyMem_Calloc(room, sizeof(Pattern));
        if (patterns == NULL) {
            return;
        }
        for (uint32_t place = 0; place < block->room; place++) {
            Pattern *pattern = &block->patterns[place];
            if (pattern->number != NULL) {
                *place_of(patterns, room, pattern->mask) = *pattern;
            }
        }
        PyMem_Free(block->patterns);
        block->patterns = patterns;
        block->room = room;
    }
    Pattern *place = place_of(block->patterns, block->room, mask);
    if (place->number == NULL) {
        Py_IncRef(number);
        place->number = number;
        place->mask = mask;
        block->used++;
    }
}

/* -- the module ------------------------------------------------------------------------- */

static int
in_use(void)
{
    if (the_log == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "not in use");
    }
    return the_log != NULL;
}

/* What all blocks have in common. Not a class in Python: the garbage collector looks at objects of
those, and of what is derived from them. */
static PyObject *
new_base(void)
{
    PyType_Slot type_slots[] = {{0, NULL}};
    PyType_Spec spec = {
        .name = "whotests.probes.runtime.Block",
        .basicsize = sizeof(PyObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = type_slots,
    };
    return PyType_FromSpec(&spec);
}

/* Once in a process: another interpreter of it would take this one's log away. */
static PyObject *
use(PyObject *module, PyObject *args)
{
    PyObject *log, *numbers, *type;
    int wanted;
    if (!PyArg_ParseTuple(args, "iO!O!O!", &wanted, &PyList_Type, &log, &PyDict_Type, &numbers,
                          &PyType_Type, &type)) {
        return NULL;
    }
    if (the_log != NULL || wanted != INTERFACE) {
        PyErr_SetString(PyExc_ImportError, the_log != NULL ? "in use already" : "of other sources");
        return NULL;
    }
    static const char *const attributes[OF_CODE] = {
        "co_consts", "co_names", "co_linetable", "co_firstlineno",
    };
    for (int attribute = 0; attribute < OF_CODE; attribute++) {
        of_code[attribute] = PyUnicode_InternFromString(attributes[attribute]);
        if (of_code[attribute] == NULL) {
            return NULL;
        }
    }
    the_family = PyUnicode_InternFromString("family");
    no_lines = PyBytes_FromStringAndSize(NULL, 0);
    zero = PyLong_FromLong(0);
    base = new_base();
    if (the_family == NULL || no_lines == NULL || zero == NULL || base == NULL) {
        return NULL;
    }
    put(&the_log, log);
    put(&no_numbers, numbers);
    put(&code_type, type);
    Py_IncRef(base);
    return base;
}

/* A class of blocks with so many slots. Its descriptors are there until the process ends. */
static PyObject *
kind(PyObject *module, PyObject *args)
{
    static char names[MOST_SLOTS][2][4];
    PyMemberDef members[FIELDS + MOST_SLOTS + 1] = {{NULL}};
    int slots;
    if (!in_use() || !PyArg_ParseTuple(args, "i", &slots)) {
        return NULL;
    }
    if (slots < 1 || slots > MOST_SLOTS) {
        PyErr_SetString(PyExc_ValueError, "a block has 1 to 32 slots");
        return NULL;
    }
    for (int field = 0; field < FIELDS; field++) {
        members[field].name = fields[field].name;
        members[field].type = T_OBJECT_EX;
        members[field].offset = fields[field].offset;
    }
    PyGetSetDef *hits = PyMem_Calloc(slots + 1, sizeof(PyGetSetDef));
    PyObject *bases = PyTuple_Pack(1, base);
    if (hits == NULL || bases == NULL) {
        PyMem_Free(hits);
        Py_DecRef(bases);
        return PyErr_NoMemory();
    }
    for (int slot = 0; slot < slots; slot++) {
        char *name = names[slot][0], *hit_name = names[slot][1];
        PyOS_snprintf(name, sizeof names[slot][0], "s%d", slot);
        PyOS_snprintf(hit_name, sizeof names[slot][1], "h%d", slot);
        members[FIELDS + slot].name = name;
        members[FIELDS + slot].type = T_OBJECT_EX;
        members[FIELDS + slot].offset = offsetof(Block, slots) + slot * sizeof(PyObject *);
        hits[slot].name = hit_name;
        hits[slot].get = hit;
        hits[slot].closure = (void *)(intptr_t)slot;
    }
    PyType_Slot type_slots[] = {
        {Py_tp_new, new_block},   {Py_tp_dealloc, end_block}, {Py_tp_members, members},
        {Py_tp_getset, hits},     {0, NULL},
    };
    PyType_Spec spec = {
        .name = "whotests.probes.runtime.Block",
        .basicsize = (int)(offsetof(Block, slots) + slots * sizeof(PyObject *)),
        .flags = Py_TPFLAGS_DEFAULT,
        .slots = type_slots,
    };
    PyObject *type = PyType_FromSpecWithBases(&spec, bases);
    Py_DecRef(bases);
    if (type == NULL) {
        PyMem_Free(hits);
    }
    return type;
}

/* Numbers of known patterns go to `found`, and their blocks, armed again, out of the entries. All
else stays in there. */
static PyObject *
take(PyObject *module, PyObject *args)
{
    PyObject *entries, *found;
    if (!in_use()
        || !PyArg_ParseTuple(args, "O!O!", &PyList_Type, &entries, &PyList_Type, &found)) {
        return NULL;
    }
    Py_ssize_t count = PyList_Size(entries), kept = 0;
    for (Py_ssize_t place = 0; place < count; place++) {
        PyObject *entry = PyList_GetItem(entries, place);
        if (entry == NULL) {
            return NULL;
        }
        if (is_block(entry)) {
            Block *block = (Block *)entry;
            uint32_t mask = disarmed(block);
            PyObject *number = mask ? known(block, mask) : NULL;
            if (number != NULL) {
                if (PyList_Append(found, number) < 0) {
                    return NULL; /* what was taken before has nothing to tell any more */
                }
                for (uint32_t slot = 0; slot < block->count; slot++) {
                    if (mask >> slot & 1) {
                        put(&block->slots[slot], Py_True);
                    }
                }
            }
            if (number != NULL || mask == 0) {
                continue;
            }
        }
        if (kept < place) {
            Py_IncRef(entry);
            if (PyList_SetItem(entries, kept, entry) < 0) {
                return NULL;
            }
        }
        kept++;
    }
    if (PyList_SetSlice(entries, kept, count, NULL) < 0) {
        return NULL;
    }
    return none();
}

static PyObject *
learn(PyObject *module, PyObject *args)
{
    PyObject *entry, *key, *number;
    if (!PyArg_UnpackTuple(args, "learn", 3, 3, &entry, &key, &number)) {
        return NULL;
    }
    if (is_block(entry) && PyTuple_Check(key)
        && PyTuple_Size(key) == (Py_ssize_t)((Block *)entry)->count) {
        uint32_t mask = 0;
        for (uint32_t slot = 0; slot < ((Block *)entry)->count; slot++) {
            mask |= (uint32_t)(PyTuple_GetItem(key, slot) == Py_None) << slot;
        }
        if (mask) {
            add_known((Block *)entry, mask, number);
        }
    }
    return none();
}

/* -- code ------------------------------------------------------------------------------- */

/* A block whose handlers are in the code gets its table of lines. */
static int
give_lines(Block *block, PyObject *code)
{
    PyObject *names = PyObject_GetAttr(code, of_code[NAMES]);
    int handlers = names == NULL ? -1 : PySequence_Contains(names, of_code[LINE_TABLE]);
    if (handlers > 0) {
        handlers = PySequence_Contains(names, the_family);
    }
    Py_DecRef(names);
    if (handlers <= 0) {
        return handlers;
    }
    PyObject *lines = PyObject_GetAttr(code, of_code[LINE_TABLE]);
    PyObject *first_line = PyObject_GetAttr(code, of_code[FIRST_LINE]);
    if (lines != NULL && first_line != NULL) {
        put(&block->lines, lines);
        put(&block->first_line, first_line);
    }
    Py_DecRef(lines);
    Py_DecRef(first_line);
    return lines == NULL || first_line == NULL ? -1 : 0;
}

static PyObject *swapped(PyObject *code, PyObject *objects);

/* A new reference to what belongs in place of a constant of the code: mostly the constant. */
static PyObject *
in_place_of(PyObject *constant, PyObject *code, PyObject *objects)
{
    if (Py_TYPE(constant) == (PyTypeObject *)code_type) {
        return swapped(constant, objects);
    }
    PyObject *object = NULL;
    /* Placeholders begin with a character that few others begin with, and docstrings are long. */
    if (PyUnicode_CheckExact(constant) && PyUnicode_GetLength(constant) > 0
        && PyUnicode_ReadChar(constant, 0) == 0) {
        object = PyDict_GetItemWithError(objects, constant);
        if (object == NULL && PyErr_Occurred()) {
            return NULL;
        }
    }
    if (object == NULL) {
        object = constant;
    } else if (is_block(object) && give_lines((Block *)object, code) < 0) {
        return NULL;
    }
    Py_IncRef(object);
    return object;
}

/* A new reference to a copy of the code with other constants. */
static PyObject *
with_constants(PyObject *code, PyObject *constants)
{
    PyObject *replace = PyObject_GetAttrString(code, "replace"), *none_by_place = PyTuple_New(0);
    PyObject *by_name = Py_BuildValue("{sN}", "co_consts", PyList_AsTuple(constants));
    PyObject *copy = NULL;
    if (replace != NULL && none_by_place != NULL && by_name != NULL) {
        copy = PyObject_Call(replace, none_by_place, by_name);
    }
    Py_DecRef(replace);
    Py_DecRef(none_by_place);
    Py_DecRef(by_name);
    return copy;
}

/* Puts the object, whose reference it takes, among the constants, or into a list of them if
something else has them, too. */
static int
change(PyObject *constants, PyObject **list, Py_ssize_t place, PyObject *object)
{
    if (*list == NULL) {
        Py_IncRef(object); /* PyTuple_SetItem takes one, whatever comes of it */
        if (PyTuple_SetItem(constants, place, object) == 0) {
            Py_DecRef(object);
            return 0;
        }
        PyErr_Clear();
        *list = PySequence_List(constants);
    }
    if (*list == NULL) {
        Py_DecRef(object);
        return -1;
    }
    return PyList_SetItem(*list, place, object);
}

/* A new reference to the code itself, its constants changed in place. Pieces of code with equal
constants (lambdas, for the most part) have the same tuple, which stays as it is while several have
it: all but the last of them are replaced by copies with others. */
static PyObject *
swapped(PyObject *code, PyObject *objects)
{
    PyObject *constants = PyObject_GetAttr(code, of_code[CONSTANTS]), *list = NULL, *copy = NULL;
    Py_DecRef(constants); /* the code has it, and PyTuple_SetItem makes sure that nobody else has */
    Py_ssize_t count = constants == NULL ? -1 : PyTuple_Size(constants);
    int failed = count < 0;
    for (Py_ssize_t place = 0; place < count && !failed; place++) {
        PyObject *constant = PyTuple_GetItem(constants, place);
        PyObject *object = in_place_of(constant, code, objects);
        if (object == constant) {
            Py_DecRef(object);
        } else {
            failed = object == NULL || change(constants, &list, place, object) < 0;
        }
    }
    if (!failed && list == NULL) {
        Py_IncRef(code);
        return code;
    }
    if (!failed) {
        copy = with_constants(code, list);
    }
    Py_DecRef(list);
    return copy;
}

static PyObject *
swap(PyObject *module, PyObject *args)
{
    PyObject *code, *objects;
    if (!in_use()
        || !PyArg_ParseTuple(args, "O!O!", code_type, &code, &PyDict_Type, &objects)) {
        return NULL;
    }
    return swapped(code, objects);
}

/* -- what the module has ---------------------------------------------------------------- */

static PyMethodDef functions[] = {
    {"use", use, METH_VARARGS, NULL},
    {"kind", kind, METH_VARARGS, NULL},
    {"take", take, METH_VARARGS, NULL},
    {"learn", learn, METH_VARARGS, NULL},
    {"swap", swap, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "whotests.probes._blocks", .m_size = -1, .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__blocks(void)
{
    return PyModule_Create(&definition);
}
