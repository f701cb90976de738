#include "daemon/secrecy.h"

#include "base/mem.h"

/* A row or a column: where it begins, how far apart its cells lie; the last one is the total. */
struct line {
	uint32_t first, step, count;
};

static struct line row_of(const struct secrecy *secrecy, uint32_t row)
{
	return (struct line){row * secrecy->columns, 1, secrecy->columns};
}

static struct line column_of(const struct secrecy *secrecy, uint32_t column)
{
	return (struct line){column, secrecy->columns, secrecy->rows};
}

/* Everybody may know that a count is zero, so one protects nothing. */
static bool is_secret(const struct secrecy *secrecy, uint32_t cell)
{
	return secrecy->hidden[cell] && secrecy->counts[cell];
}

/* --- one line --------------------------------------------------------------------------------- */

static bool line_holds(const struct secrecy *secrecy, struct line line)
{
	uint32_t total = line.first + (line.count - 1) * line.step;
	uint32_t secrets = is_secret(secrecy, total), sum = 0;

	for (uint32_t i = 0; i + 1 < line.count; i++) {
		uint32_t cell = line.first + i * line.step;

		secrets += is_secret(secrecy, cell);
		sum += secrecy->hidden[cell] ? secrecy->counts[cell] : 0;
	}
	if (!secrets)
		return true;
	return secrets > 1 && (secrecy->hidden[total] || sum >= SECRET_BELOW);
}

/* Hides the smallest of the parts still shown, else the total; false when nothing is left. */
static bool hide_more(const struct secrecy *secrecy, struct line line)
{
	uint32_t total = line.first + (line.count - 1) * line.step, smallest = total;

	for (uint32_t i = 0; i + 1 < line.count; i++) {
		uint32_t cell = line.first + i * line.step;

		if (!secrecy->hidden[cell] &&
		    (smallest == total || secrecy->counts[cell] < secrecy->counts[smallest]))
			smallest = cell;
	}
	if (secrecy->hidden[smallest])
		return false;
	secrecy->hidden[smallest] = true;
	return true;
}

static bool mend_line(const struct secrecy *secrecy, struct line line)
{
	return !line_holds(secrecy, line) && hide_more(secrecy, line);
}

/* True when something more was hidden. */
static bool mend_lines(const struct secrecy *secrecy)
{
	bool is_changed = false;

	for (uint32_t row = 0; row < secrecy->rows; row++)
		is_changed |= mend_line(secrecy, row_of(secrecy, row));
	for (uint32_t column = 0; column < secrecy->columns; column++)
		is_changed |= mend_line(secrecy, column_of(secrecy, column));
	return is_changed;
}

/* --- the table as a whole --------------------------------------------------------------------- */

/* Rows and columns are places (rows first), secret cells the ways between them. */
static bool is_way(const struct secrecy *secrecy, uint32_t from, uint32_t to, uint32_t but_cell)
{
	uint32_t row = from < to ? from : to, column = (from < to ? to : from) - secrecy->rows;
	uint32_t cell = row * secrecy->columns + column;

	if ((from < secrecy->rows) == (to < secrecy->rows))
		return false;
	return cell != but_cell && is_secret(secrecy, cell);
}

/* A secret that is the only way between two parts of the table can be worked out: it is the difference
 * of all that is shown of one part. */
static bool is_only_way(const struct secrecy *secrecy, uint32_t row, uint32_t column)
{
	uint32_t places = secrecy->rows + secrecy->columns, count = 0;
	uint32_t cell = row * secrecy->columns + column, to = secrecy->rows + column;
	scoped(mem_free) uint32_t *reached = mem_new(places * sizeof(*reached));
	scoped(mem_free) bool *seen = mem_new(places * sizeof(*seen));

	reached[count++] = row;
	seen[reached[0]] = true;
	for (uint32_t i = 0; i < count && !seen[to]; i++)
		for (uint32_t other = 0; other < places; other++) {
			if (seen[other] || !is_way(secrecy, reached[i], other, cell))
				continue;
			seen[other] = true;
			reached[count++] = other;
		}
	return !seen[to];
}

static bool hide_anywhere(const struct secrecy *secrecy)
{
	return hide_more(secrecy, (struct line){0, 1, secrecy->rows * secrecy->columns});
}

static bool mend_ways(const struct secrecy *secrecy)
{
	for (uint32_t row = 0; row < secrecy->rows; row++)
		for (uint32_t column = 0; column < secrecy->columns; column++) {
			if (!is_secret(secrecy, row * secrecy->columns + column) ||
			    !is_only_way(secrecy, row, column))
				continue;
			return hide_more(secrecy, row_of(secrecy, row)) ||
			       hide_more(secrecy, column_of(secrecy, column)) ||
			       hide_anywhere(secrecy);
		}
	return false;
}

void secrecy_hide(const struct secrecy *secrecy)
{
	for (uint32_t cell = 0; cell < secrecy->rows * secrecy->columns; cell++)
		if (secrecy->counts[cell] < SECRET_BELOW)
			secrecy->hidden[cell] = true;
	while (mend_lines(secrecy) || mend_ways(secrecy))
		;
}
