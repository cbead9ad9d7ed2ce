/*
 * Reads a Multi-Status body with neon, the WebDAV library in C that cadaver, davfs2 and others use: ne_207 and, on top of
 * it, sets of properties per resource such as ne_props.h hands to its users: names, namespaces, values and languages as
 * strings of their own, the status of each propstat, the href as an ne_uri, all freed when the response ends.
 * (ne_props itself cannot be used without a server.)
 *
 * Arguments: a file that holds prologue, block, the block's beginning and epilogue; the lengths of prologue,
 * block and epilogue; how often the block comes.
 * Reads the body once for each line on the standard input, in chunks of 16 KB; answers with a line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <ne_207.h>
#include <ne_alloc.h>
#include <ne_string.h>
#include <ne_uri.h>
#include <ne_utils.h>
#include <ne_xml.h>

#define CHUNK 16384
#define VALUE_STATE (NE_207_STATE_TOP - 1)
#define MOST_VALUE 102400
#define MOST_PROPERTIES 1024

struct property {
    char *name, *namespace, *value, *language;
};

struct propstat {
    struct property *properties;
    int count;
    ne_status status;
};

struct result {
    ne_uri uri;
    struct propstat *propstats;
    int count, properties;
    ne_status status;
    char *description;
};

struct reader {
    ne_xml_parser *xml;
    ne_207_parser *parser207;
    ne_buffer *value;
    int depth;
    struct result *current;
    long responses, properties;
};

static void *start_response(void *userdata, const ne_uri *uri)
{
    struct reader *reader = userdata;
    struct result *result = ne_calloc(sizeof *result);
    ne_uri_copy(&result->uri, uri);
    reader->current = result;
    return result;
}

static void *start_propstat(void *userdata, void *response)
{
    struct result *result = response;
    (void)userdata;
    result->propstats = ne_realloc(result->propstats, sizeof *result->propstats * (result->count + 1));
    struct propstat *propstat = &result->propstats[result->count++];
    memset(propstat, 0, sizeof *propstat);
    return propstat;
}

/* A property begins, or an element within its value. */
static int start_element(void *userdata, int parent, const char *namespace, const char *name, const char **attributes)
{
    struct reader *reader = userdata;
    struct propstat *propstat = ne_207_get_current_propstat(reader->parser207);
    if ((parent != NE_207_STATE_PROP && parent != VALUE_STATE) || propstat == NULL)
        return NE_XML_DECLINE;
    if (parent == VALUE_STATE) {
        reader->depth++;
        if (reader->value->used < MOST_VALUE)
            ne_buffer_concat(reader->value, "<", name, ">", NULL);
        return VALUE_STATE;
    }
    if (++reader->current->properties == MOST_PROPERTIES) return NE_XML_ABORT;
    propstat->properties = ne_realloc(propstat->properties, sizeof *propstat->properties * (propstat->count + 1));
    struct property *property = &propstat->properties[propstat->count++];
    const char *language = ne_xml_get_attr(reader->xml, attributes, NULL, "xml:lang");
    property->name = ne_strdup(name);
    property->namespace = namespace[0] == '\0' ? NULL : ne_strdup(namespace);
    property->language = language == NULL ? NULL : ne_strdup(language);
    property->value = NULL;
    reader->depth = 0;
    return VALUE_STATE;
}

static int character_data(void *userdata, int state, const char *data, size_t length)
{
    struct reader *reader = userdata;
    if (state == VALUE_STATE && reader->value->used < MOST_VALUE)
        ne_buffer_append(reader->value, data, length);
    return 0;
}

static int end_element(void *userdata, int state, const char *namespace, const char *name)
{
    struct reader *reader = userdata;
    (void)state, (void)namespace;
    if (reader->depth > 0) {
        if (reader->value->used < MOST_VALUE)
            ne_buffer_concat(reader->value, "</", name, ">", NULL);
        reader->depth--;
        return 0;
    }
    struct propstat *propstat = ne_207_get_current_propstat(reader->parser207);
    propstat->properties[propstat->count - 1].value = ne_buffer_finish(reader->value);
    reader->value = ne_buffer_create();
    return 0;
}

static void copy_status(ne_status *copy, const ne_status *status)
{
    *copy = *status;
    copy->reason_phrase = ne_strdup(status->reason_phrase);
}

/* A value of a propstat that failed is no value. */
static void end_propstat(void *userdata, void *given, const ne_status *status, const char *description)
{
    struct propstat *propstat = given;
    (void)userdata, (void)description;
    if (status == NULL) return;
    for (int n = 0; status->klass != 2 && n < propstat->count; n++) {
        ne_free(propstat->properties[n].value);
        propstat->properties[n].value = NULL;
    }
    copy_status(&propstat->status, status);
}

static void free_result(struct result *result)
{
    for (int n = 0; n < result->count; n++) {
        struct propstat *propstat = &result->propstats[n];
        for (int m = 0; m < propstat->count; m++) {
            struct property *property = &propstat->properties[m];
            ne_free(property->name);
            ne_free(property->namespace);
            ne_free(property->value);
            ne_free(property->language);
        }
        ne_free(propstat->properties);
        ne_free(propstat->status.reason_phrase);
    }
    ne_free(result->propstats);
    ne_free(result->status.reason_phrase);
    ne_free(result->description);
    ne_uri_free(&result->uri);
    ne_free(result);
}

static void end_response(void *userdata, void *response, const ne_status *status, const char *description)
{
    struct reader *reader = userdata;
    struct result *result = response;
    if (status != NULL) copy_status(&result->status, status);
    if (description != NULL) result->description = ne_strdup(description);
    /* Here a user of ne_props would be called back. */
    reader->responses++;
    reader->properties += result->properties;
    free_result(result);
    reader->current = NULL;
}

static void feed(struct reader *reader, const char *data, size_t length)
{
    if (ne_xml_parse(reader->xml, data, length) == 0) return;
    fprintf(stderr, "Error: %s\n", ne_xml_get_error(reader->xml));
    exit(1);
}

/* The block stands in the file with its own beginning after its end, so that every chunk is in one piece. */
struct body {
    const char *prologue, *block, *epilogue;
    size_t prologue_length, block_length, epilogue_length, blocks;
};

static void read_body(struct reader *reader, const struct body *body)
{
    size_t length = body->block_length * body->blocks;
    ne_uri base = {0};
    ne_uri_parse("http://localhost/", &base);
    memset(reader, 0, sizeof *reader);
    reader->xml = ne_xml_create();
    reader->parser207 = ne_207_create(reader->xml, &base, reader);
    reader->value = ne_buffer_create();
    ne_207_set_response_handlers(reader->parser207, start_response, end_response);
    ne_207_set_propstat_handlers(reader->parser207, start_propstat, end_propstat);
    ne_xml_push_handler(reader->xml, start_element, character_data, end_element, reader);
    feed(reader, body->prologue, body->prologue_length);
    for (size_t at = 0; at < length; at += CHUNK)
        feed(reader, body->block + at % body->block_length,
             length - at < CHUNK ? length - at : CHUNK);
    feed(reader, body->epilogue, body->epilogue_length);
    feed(reader, NULL, 0);
    ne_buffer_destroy(reader->value);
    ne_207_destroy(reader->parser207);
    ne_xml_destroy(reader->xml);
    ne_uri_free(&base);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

int main(int count, char **parameters)
{
    if (count != 6) return 2;
    size_t prologue = strtoul(parameters[2], NULL, 10);
    size_t block = strtoul(parameters[3], NULL, 10);
    size_t epilogue = strtoul(parameters[4], NULL, 10);
    size_t length = prologue + block + CHUNK + epilogue;
    char *bytes = ne_malloc(length);
    FILE *file = fopen(parameters[1], "rb");
    if (file == NULL || fread(bytes, 1, length, file) != length) return 2;
    fclose(file);
    struct body body = {bytes, bytes + prologue, bytes + length - epilogue, prologue, block, epilogue,
                        strtoul(parameters[5], NULL, 10)};
    char line[80];
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct reader reader;
        struct rusage usage;
        double begin = now();
        read_body(&reader, &body);
        double milliseconds = now() - begin;
        getrusage(RUSAGE_SELF, &usage);
        printf("{\"milliseconds\": %f, \"responses\": %ld, \"properties\": %ld, \"peak\": %f}\n",
               milliseconds, reader.responses, reader.properties / (long)body.blocks,
               usage.ru_maxrss / 1e3);
        fflush(stdout);
    }
    return 0;
}
