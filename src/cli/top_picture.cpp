#include "cli/top_picture.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/rates.hpp"
#include "cli/table.hpp"

namespace quarq::cli {

namespace {

using dashboard::queue_view;
using line_style = screen_line::style;

constexpr std::size_t max_section = 6;  // lines of workers, and of errors, with their titles
constexpr std::size_t min_queues = 4;   // lines of queues, for which the others make room

// ---- cells

/// "0.4 ms", "12 ms", "1.5 s", "3 min".
std::string duration_text(std::chrono::microseconds time) {
  using namespace std::chrono_literals;
  const auto in = [&](std::chrono::microseconds unit) {
    return static_cast<double>(time.count()) / static_cast<double>(unit.count());
  };
  if (time < 1ms) return fmt::format("{:.1f} ms", in(1ms));
  if (time < 1s) return fmt::format("{:.0f} ms", in(1ms));
  if (time < 100s) return fmt::format("{:.1f} s", in(1s));
  return rough(std::chrono::floor<milliseconds>(time));
}

std::string quantile_of(const duration_histogram& times, double part) {
  return times.count() == 0 ? "" : duration_text(times.quantile(part));
}

std::string age_of(const std::optional<dashboard::unix_ms>& since, time_point now) {
  if (!since) return "";
  return rough(std::max(now - time_point(milliseconds(*since)), milliseconds(0)));
}

std::string status_of(const queue_view& q) {
  if (q.paused) return "paused";
  return q.unserved;
}

struct shown_queue {
  const queue_view& queue;
  task_stats recent;
  time_point now;
  bool is_chosen = false;
};

/// A column of the table of queues. Where there is no room, those of the highest rank are left out first.
struct queue_column {
  const char* title;
  column::kind as;
  int rank;
  std::string (*cell)(const shown_queue&);
};

constexpr auto in_text = column::kind::text;
constexpr auto in_numbers = column::kind::number;

const queue_column queue_columns[] = {
    {"  QUEUE", in_text, 0, [](const shown_queue& q) { return (q.is_chosen ? "> " : "  ") + q.queue.name; }},
    {"QUEUED", in_numbers, 0, [](const shown_queue& q) { return std::to_string(q.queue.queued); }},
    {"OLDEST", in_numbers, 2, [](const shown_queue& q) { return age_of(q.queue.oldest, q.now); }},
    {"DEFERRED", in_numbers, 6, [](const shown_queue& q) { return std::to_string(q.queue.deferred); }},
    {"RUNNING", in_numbers, 1, [](const shown_queue& q) { return std::to_string(q.queue.running); }},
    {"DEAD", in_numbers, 1, [](const shown_queue& q) { return std::to_string(q.queue.dead); }},
    {"WORKERS", in_numbers, 3, [](const shown_queue& q) { return std::to_string(q.queue.workers); }},
    {"ENQUEUED", in_numbers, 5, [](const shown_queue& q) { return rate(q.recent.enqueued); }},
    {"ENDED", in_numbers, 4, [](const shown_queue& q) { return rate(ended(q.recent)); }},
    {"FAILED", in_numbers, 4, [](const shown_queue& q) { return rate(failed_attempts(q.recent)); }},
    {"WAIT P50", in_numbers, 8, [](const shown_queue& q) { return quantile_of(q.recent.waited, 0.5); }},
    {"P95", in_numbers, 7, [](const shown_queue& q) { return quantile_of(q.recent.waited, 0.95); }},
    {"P99", in_numbers, 8, [](const shown_queue& q) { return quantile_of(q.recent.waited, 0.99); }},
    {"RUN P50", in_numbers, 8, [](const shown_queue& q) { return quantile_of(q.recent.ran, 0.5); }},
    {"P95", in_numbers, 7, [](const shown_queue& q) { return quantile_of(q.recent.ran, 0.95); }},
    {"P99", in_numbers, 8, [](const shown_queue& q) { return quantile_of(q.recent.ran, 0.99); }},
    {"STATUS", column::kind::flexible, 3, [](const shown_queue& q) { return status_of(q.queue); }},
};
constexpr int max_rank = 8;

// ---- lines

std::vector<std::string> lines_of(const table& rows, std::size_t columns) {
  std::vector<std::string> lines;
  const auto all = rows.text(columns);
  for (std::string_view rest = all; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    lines.emplace_back(line);
    rest.remove_prefix(line.size() + 1);
  }
  return lines;
}

std::vector<std::string> table_of_queues(const std::vector<shown_queue>& queues, int rank,
                                         std::size_t columns) {
  std::vector<column> titles;
  for (const auto& one : queue_columns) {
    if (one.rank <= rank) titles.push_back({one.title, one.as});
  }
  table rows(std::move(titles));
  for (const auto& queue : queues) {
    std::vector<std::string> cells;
    for (const auto& one : queue_columns) {
      if (one.rank <= rank) cells.push_back(one.cell(queue));
    }
    rows.add(cells);
  }
  return lines_of(rows, columns);
}

bool all_fit(const std::vector<std::string>& lines, std::size_t columns) {
  return std::all_of(lines.begin(), lines.end(), [&](const auto& line) { return width(line) <= columns; });
}

std::vector<std::string> widest_that_fits(const std::vector<shown_queue>& queues, std::size_t columns) {
  auto lines = table_of_queues(queues, max_rank, columns);
  for (int rank = max_rank - 1; columns > 0 && rank >= 0 && !all_fit(lines, columns); --rank)
    lines = table_of_queues(queues, rank, columns);
  return lines;
}

std::vector<std::string> table_of_workers(const top_data& data, std::size_t columns) {
  table rows({{"WORKER"},
              {"RUNNING", in_numbers},
              {"CONCURRENCY", in_numbers},
              {"DONE", in_numbers},
              {"LEASE", in_numbers},
              {"QUEUES", column::kind::flexible}});
  const auto or_unknown = [](const std::optional<std::uint64_t>& n) { return n ? std::to_string(*n) : "?"; };
  for (const auto& w : data.workers) {
    rows.add({w.name, std::to_string(w.running), or_unknown(w.concurrency), or_unknown(w.done),
              rough(milliseconds(w.lease_ms)), fmt::format("{}", fmt::join(w.queues, ", "))});
  }
  return rows.empty() ? std::vector<std::string>() : lines_of(rows, columns);
}

std::vector<std::string> table_of_errors(const top_data& data, std::size_t columns) {
  table rows(
      {{"DEAD", in_numbers}, {"QUEUE"}, {"TASK"}, {"LAST", in_numbers}, {"ERROR", column::kind::flexible}});
  const std::string dead(to_string(job_state::dead));
  for (const auto& [queue, errors] : data.errors) {
    const bool are_all = !errors.total.has_value();
    for (const auto& group : errors.groups) {
      if (group.state != dead) continue;
      const auto count = std::to_string(group.count) + (are_all ? "" : "+");
      const auto last = age_of(group.last, data.at);
      rows.add({count, queue, group.task, last.empty() ? "" : last + " ago",
                group.error_type + (group.error.empty() ? "" : ": ") + group.error});
    }
  }
  return rows.empty() ? std::vector<std::string>() : lines_of(rows, columns);
}

screen_line title_line(const top_data& data) {
  const auto time = iso8601(std::chrono::floor<std::chrono::seconds>(data.at));
  return {terminal_safe(fmt::format("quarq top  {}  {}  {} queues, {} workers", time, data.broker,
                                    data.overview.queues.size(), data.workers.size())),
          line_style::title};
}

std::string keys_in_words(queue_order order) {
  const auto* const by = order == queue_order::name     ? "name"
                         : order == queue_order::queued ? "queued"
                                                        : "oldest";
  return fmt::format("q quit  up/down choose  1 name 2 queued 3 oldest (by {})  p pause or resume", by);
}

// As many lines as there is room for, of a section with its title.
void add_section(std::vector<screen_line>& to, std::vector<std::string> lines, std::size_t max) {
  if (lines.empty() || max < 3) return;
  to.emplace_back();
  const auto count = std::min(lines.size(), max - 1);
  for (std::size_t i = 0; i < count; ++i)
    to.push_back({std::move(lines[i]), i == 0 ? line_style::title : line_style::plain});
}

std::vector<shown_queue> shown_queues(const top_data& data, const std::vector<queue_view>& queues,
                                      const std::string& chosen) {
  std::vector<shown_queue> shown;
  for (const auto& one : queues) {
    const auto recent = data.recent.find(one.name);
    shown.push_back(
        {one, recent == data.recent.end() ? task_stats() : recent->second, data.at, one.name == chosen});
  }
  return shown;
}

// Its title, and those around the chosen one.
void add_queues(std::vector<screen_line>& to, const top_data& data, const top_choice& choice,
                std::size_t columns, std::size_t max) {
  const auto queues = in_order(data, choice.order);
  if (queues.empty()) {
    to.push_back({"no queues", line_style::plain});
    return;
  }
  const auto chosen =
      std::find_if(queues.begin(), queues.end(), [&](const auto& q) { return q.name == choice.queue; });
  const std::size_t at = chosen == queues.end() ? 0 : static_cast<std::size_t>(chosen - queues.begin());
  auto lines = widest_that_fits(shown_queues(data, queues, choice.queue), columns);
  const auto room = std::max<std::size_t>(max, 2) - 1;
  const auto first = at < room ? 0 : at - room + 1;
  to.push_back({std::move(lines[0]), line_style::title});
  for (std::size_t i = first; i < std::min(queues.size(), first + room); ++i)
    to.push_back({std::move(lines[i + 1]),
                  chosen != queues.end() && i == at ? line_style::chosen : line_style::plain});
}

}  // namespace

std::vector<queue_view> in_order(const top_data& data, queue_order order) {
  auto queues = data.overview.queues;
  const auto key = [&](const queue_view& q) {
    const auto since = q.oldest.value_or(std::numeric_limits<dashboard::unix_ms>::max());
    const auto fewest = ~q.queued;
    return std::tuple(order == queue_order::oldest ? since : 0, order == queue_order::queued ? fewest : 0,
                      std::string_view(q.name));
  };
  std::sort(queues.begin(), queues.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  return queues;
}

std::vector<screen_line> picture(const top_data& data, const top_choice& choice,
                                 std::optional<base::terminal_size> size) {
  const auto columns = size ? size->columns : 0;
  const auto rows = size ? size->rows : std::numeric_limits<std::size_t>::max() / 2;
  std::vector<screen_line> lines;
  lines.push_back(title_line(data));
  if (!data.overview.trouble.empty())
    lines.push_back({terminal_safe(data.overview.trouble), line_style::alarm});
  const auto last = size ? 1u : 0u;  // the line for keys
  const auto used = lines.size() + last;
  const auto room = rows > used ? rows - used : 0;
  auto workers = table_of_workers(data, columns);
  auto errors = table_of_errors(data, columns);
  const auto max = size ? max_section : rows;
  const auto wanted = [&](const std::vector<std::string>& section) {
    return section.empty() ? 0 : std::min(max, section.size() + 1);
  };
  // Errors give way last.
  const auto spare = room > min_queues ? room - min_queues : 0;
  const auto for_errors = std::min(wanted(errors), spare);
  const auto for_workers = std::min(wanted(workers), spare - for_errors);
  add_queues(lines, data, choice, columns, room - for_errors - for_workers);
  add_section(lines, std::move(workers), for_workers);
  add_section(lines, std::move(errors), for_errors);
  if (size) {
    while (lines.size() + last < rows) lines.emplace_back();
    const bool has_notice = !choice.notice.empty();
    lines.push_back({has_notice ? terminal_safe(choice.notice) : keys_in_words(choice.order),
                     has_notice ? line_style::alarm : line_style::plain});
  }
  return lines;
}

}  // namespace quarq::cli
