#include "tools/sim/chart.h"

enum {
	WIDTH = 960,
	LEFT = 64,
	RIGHT = 24,
	TOP = 60, /* without the legend */
	BOTTOM = 48,
	PLOT_WIDTH = WIDTH - LEFT - RIGHT,
	PLOT_HEIGHT = 336,
	LEGEND_COLUMNS = 2,
	LEGEND_ROW = 18,
};

/* Told apart by those who see no colours too: by dashes. Colours after Okabe and Ito. */
static const struct {
	const char *colour, *dashes;
} styles[] = {
	{"#0072b2", ""},    {"#d55e00", "9 4"},  {"#009e73", "2 3"}, {"#cc79a7", "12 3 2 3"},
	{"#e69f00", "5 2"}, {"#56b4e9", "12 6"}, {"#000000", "1 5"}, {"#7f6000", "7 2 2 2 2 2"},
};

struct drawing {
	const struct chart *chart;
	struct buf *out;
	int top;          /* of the plot */
	uint32_t weeks;   /* along */
	uint64_t highest; /* up, in weeks of waiting */
};

/* --- places, in tenths of a pixel ------------------------------------------------------------- */

static int64_t x_of(const struct drawing *drawing, uint32_t week)
{
	uint32_t last = drawing->weeks > 1 ? drawing->weeks - 1 : 1;

	return (int64_t)10 * LEFT + (int64_t)week * 10 * PLOT_WIDTH / last;
}

static int64_t y_of(const struct drawing *drawing, uint64_t tenths)
{
	return (int64_t)10 * (drawing->top + PLOT_HEIGHT) -
	       (int64_t)(tenths * PLOT_HEIGHT / drawing->highest);
}

static void put(struct drawing *drawing, int64_t tenths)
{
	buf_printf(drawing->out, "%lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
}

static void put_point(struct drawing *drawing, const char *before, uint32_t week, uint64_t tenths)
{
	buf_printf(drawing->out, "%s", before);
	put(drawing, x_of(drawing, week));
	buf_printf(drawing->out, ",");
	put(drawing, y_of(drawing, tenths));
}

static void put_text(struct drawing *drawing, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			buf_printf(drawing->out, "&lt;");
		else if (*text == '&')
			buf_printf(drawing->out, "&amp;");
		else
			buf_add(drawing->out, text, 1);
	}
}

/* --- axes ------------------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten: about six lines across. */
static uint64_t choose_step(uint64_t highest)
{
	uint64_t step = 1;

	for (uint32_t i = 0; highest / step > 6; i++)
		step = i % 3 == 1 ? step / 2 * 5 : step * 2;
	return step;
}

/* A quarter more than the highest mean, in whole steps. */
static uint64_t find_highest(const struct chart *chart)
{
	uint64_t highest = 40, step;

	for (uint32_t i = 0; i < chart->count; i++)
		for (uint32_t week = 0; week < chart->tallies[i].week_count; week++) {
			const struct spread *at = &chart->tallies[i].weeks[week];

			if (at->count && spread_mean_tenths(at) > highest)
				highest = spread_mean_tenths(at);
		}
	highest = highest * 5 / 4 / 10 + 1;
	step = choose_step(highest);
	return (highest + step - 1) / step * step;
}

static void draw_heights(struct drawing *drawing)
{
	uint64_t step = choose_step(drawing->highest);

	for (uint64_t weeks = 0; weeks <= drawing->highest; weeks += step) {
		int64_t y = y_of(drawing, 10 * weeks);

		buf_printf(drawing->out, "<path class=\"%s\" d=\"M%d,", weeks ? "grid" : "axis",
			   LEFT);
		put(drawing, y);
		buf_printf(drawing->out, "H%d\"/><text x=\"%d\" y=\"", WIDTH - RIGHT, LEFT - 8);
		put(drawing, y + 40);
		buf_printf(drawing->out, "\" text-anchor=\"end\">%llu</text>\n",
			   (unsigned long long)weeks);
	}
	buf_printf(drawing->out,
		   "<text transform=\"translate(18,%d) rotate(-90)\" "
		   "text-anchor=\"middle\">Attente annoncée (semaines)</text>\n",
		   drawing->top + PLOT_HEIGHT / 2);
}

static void draw_month(struct drawing *drawing, int64_t x, int year, int month)
{
	int bottom = drawing->top + PLOT_HEIGHT;
	bool is_january = month == 1;

	buf_printf(drawing->out, "<path class=\"%s\" d=\"M", is_january ? "grid" : "axis");
	put(drawing, x);
	buf_printf(drawing->out, ",%dV%d\"/>", is_january ? drawing->top : bottom,
		   bottom + (is_january ? 8 : 4));
	if (!is_january)
		return;
	buf_printf(drawing->out, "<text x=\"");
	put(drawing, x);
	buf_printf(drawing->out, "\" y=\"%d\" text-anchor=\"middle\">janv. %d</text>\n",
		   bottom + 26, year);
}

/* A mark at each quarter, a line and the year at each January; a year that begins in the week before the
 * first Monday begins there. */
static void draw_year(struct drawing *drawing, const struct tally *tally, int year)
{
	const int64_t left = 10 * (int64_t)LEFT, width = 10 * (int64_t)PLOT_WIDTH;
	int64_t last = 7 * (int64_t)(drawing->weeks - 1);

	for (int month = 1; month <= 12; month += 3) {
		int64_t days = (int64_t)day_from_ymd(year, month, 1) - tally->first_monday;

		if (days > -7 && days <= last)
			draw_month(drawing, left + (days < 0 ? 0 : days * width / last), year,
				   month);
	}
}

static void draw_threshold(struct drawing *drawing, uint64_t weeks, const char *label)
{
	int64_t y = y_of(drawing, 10 * weeks);

	if (weeks >= drawing->highest)
		return;
	buf_printf(drawing->out, "<path class=\"mark\" d=\"M%d,", LEFT);
	put(drawing, y);
	buf_printf(drawing->out, "H%d\"/><text class=\"faint\" x=\"%d\" y=\"", WIDTH - RIGHT,
		   LEFT + 6);
	put(drawing, y - 50);
	buf_printf(drawing->out, "\">%s</text>\n", label);
}

static void draw_axes(struct drawing *drawing)
{
	const struct tally *tally = &drawing->chart->tallies[0];

	draw_heights(drawing);
	for (uint32_t i = 0; i < tally->year_count && drawing->weeks > 1; i++)
		draw_year(drawing, tally, tally->first_year + (int)i);
	draw_threshold(drawing, tally->policy->outreach.suspend_above,
		       "au-dessus : appel à signaler suspendu");
	draw_threshold(drawing, tally->policy->outreach.resume_below, "au-dessous : repris");
}

/* --- lines ------------------------------------------------------------------------------------ */

/* The end of a run of weeks that have a forecast. */
static uint32_t end_of_run(const struct tally *tally, uint32_t from)
{
	while (from < tally->week_count && tally->weeks[from].count)
		from++;
	return from;
}

static void draw_band(struct drawing *drawing, const struct tally *tally, uint32_t from,
		      uint32_t end, uint32_t style)
{
	buf_printf(drawing->out, "<path fill=\"%s\" fill-opacity=\"0.09\" d=\"",
		   styles[style].colour);
	for (uint32_t week = from; week < end; week++)
		put_point(drawing, week == from ? "M" : "L", week, 10 * tally->weeks[week].max);
	for (uint32_t week = end; week-- > from;)
		put_point(drawing, "L", week, 10 * tally->weeks[week].min);
	buf_printf(drawing->out, "Z\"/>\n");
}

static void draw_mean(struct drawing *drawing, const struct tally *tally, uint32_t from,
		      uint32_t end, uint32_t style)
{
	buf_printf(drawing->out, "<path class=\"line\" stroke=\"%s\" stroke-dasharray=\"%s\" d=\"",
		   styles[style].colour, styles[style].dashes);
	for (uint32_t week = from; week < end; week++)
		put_point(drawing, week == from ? "M" : "L", week,
			  spread_mean_tenths(&tally->weeks[week]));
	buf_printf(drawing->out, "\"/>\n");
}

static void draw_line(struct drawing *drawing, uint32_t position, bool is_band)
{
	const struct tally *tally = &drawing->chart->tallies[position];
	uint32_t style = position % ARRAY_SIZE(styles), end;

	for (uint32_t from = 0; from < tally->week_count; from = end + 1) {
		end = end_of_run(tally, from);
		if (end == from)
			continue;
		if (is_band)
			draw_band(drawing, tally, from, end, style);
		else
			draw_mean(drawing, tally, from, end, style);
	}
}

static void draw_legend(struct drawing *drawing)
{
	const struct chart *chart = drawing->chart;

	for (uint32_t i = 0; i < chart->count; i++) {
		int x = LEFT + (int)(i % LEGEND_COLUMNS) * PLOT_WIDTH / LEGEND_COLUMNS;
		int y = TOP + 4 + (int)(i / LEGEND_COLUMNS) * LEGEND_ROW;
		uint32_t style = i % ARRAY_SIZE(styles);

		buf_printf(drawing->out,
			   "<path class=\"line\" stroke=\"%s\" stroke-dasharray=\"%s\" "
			   "d=\"M%d,%dh36\"/><text x=\"%d\" y=\"%d\">",
			   styles[style].colour, styles[style].dashes, x, y, x + 44, y + 4);
		put_text(drawing, chart->names[i]);
		buf_printf(drawing->out, "</text>\n");
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static void draw_head(struct drawing *drawing)
{
	int height = drawing->top + PLOT_HEIGHT + BOTTOM;

	buf_printf(drawing->out,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
		   "height=\"%d\" role=\"img\" font-family=\"sans-serif\" font-size=\"13\" "
		   "fill=\"#222\">\n<title>",
		   WIDTH, height, WIDTH, height);
	put_text(drawing, drawing->chart->title);
	buf_printf(drawing->out,
		   "</title>\n<style>.grid,.axis,.mark,.line{fill:none}.grid{stroke:#ddd}"
		   ".axis{stroke:#444}.mark{stroke:#888;stroke-dasharray:1 3}"
		   ".line{stroke-width:2.2;stroke-linejoin:round}.faint{fill:#666;font-size:11px}"
		   "</style>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n"
		   "<clipPath id=\"plot\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
		   "</clipPath>\n<text x=\"%d\" y=\"26\" font-size=\"16\" font-weight=\"bold\">",
		   WIDTH, height, LEFT, drawing->top, PLOT_WIDTH, PLOT_HEIGHT, LEFT);
	put_text(drawing, drawing->chart->title);
	buf_printf(drawing->out,
		   "</text>\n<text class=\"faint\" x=\"%d\" y=\"44\">moyenne de %llu tirages ; en "
		   "clair, du plus court au plus long</text>\n",
		   LEFT, (unsigned long long)drawing->chart->seeds);
}

void chart_write(const struct chart *chart, struct buf *out)
{
	uint32_t rows = (chart->count + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
	struct drawing drawing = {
		.chart = chart,
		.out = out,
		.top = TOP + (int)rows * LEGEND_ROW + 8,
		.weeks = chart->tallies[0].week_count,
		.highest = find_highest(chart),
	};

	draw_head(&drawing);
	draw_axes(&drawing);
	draw_legend(&drawing);
	buf_printf(out, "<g clip-path=\"url(#plot)\">\n");
	for (uint32_t i = 0; i < chart->count; i++)
		draw_line(&drawing, i, true);
	for (uint32_t i = 0; i < chart->count; i++)
		draw_line(&drawing, i, false);
	buf_printf(out, "</g>\n</svg>\n");
}
