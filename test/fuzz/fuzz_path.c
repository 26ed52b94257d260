/*
 * fuzz_path.c
 *		Document paths: what is accepted is written back to the same steps.
 */
#include "fuzz.h"

#include "path.h"

static void
expect_same(const CbPath *a, const CbPath *b)
{
	EXPECT(a->nsteps == b->nsteps);
	for (size_t i = 0; i < a->nsteps; i++)
	{
		EXPECT((a->steps[i].name == NULL) == (b->steps[i].name == NULL));
		EXPECT(a->steps[i].index == b->steps[i].index);
		EXPECT(cb_span_equal(cb_span(a->steps[i].name, a->steps[i].name_len),
							 cb_span(b->steps[i].name, b->steps[i].name_len)));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = fuzz_text(data, size);
	CbPath		path;
	CbPath		again;
	CbError		err;
	CbBuf		out = {0};

	if (cb_path_parse(text, &path, &err) == CB_OK)
	{
		cb_path_append(&out, &path);
		cb_buf_append_u8(&out, '\0');
		EXPECT(cb_path_parse((const char *) out.data, &again, &err) == CB_OK);
		expect_same(&path, &again);
		cb_path_free(&again);
		cb_path_append_subdoc(&out, &path);
		cb_path_free(&path);
	}
	cb_buf_free(&out);
	free(text);
	return 0;
}
