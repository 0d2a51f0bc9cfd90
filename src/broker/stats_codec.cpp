#include "broker/stats_codec.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <tuple>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "model/task_counters.hpp"

namespace quarq::broker {

namespace {

// The counters stand at positions 0 to 8. shared_stats.lua knows that of losses.
using model::task_counters;

// And of each histogram its sum, in microseconds, and its first range.
struct histogram_place {
  duration_histogram task_stats::* which;
  std::size_t sum_at, ranges_at;
};
constexpr histogram_place histograms[] = {{&task_stats::waited, 12, 16}, {&task_stats::ran, 13, 64}};

constexpr std::uint64_t max_number = std::numeric_limits<std::int64_t>::max();

void put(task_stats& into, std::uint64_t position, std::uint64_t number) {
  if (position < std::size(task_counters)) into.*task_counters[position] = number;
  for (const auto& place : histograms) {
    auto& histogram = into.*place.which;
    if (position == place.sum_at)
      histogram.set_sum(std::chrono::microseconds(static_cast<std::int64_t>(number)));
    if (position >= place.ranges_at && position < place.ranges_at + duration_histogram::ranges)
      histogram.set(position - place.ranges_at, number);
  }
}

}  // namespace

std::string encode_counts(const task_stats& counts) {
  std::vector<std::uint64_t> flat;
  const auto add = [&flat](std::size_t position, std::uint64_t number) {
    if (number == 0) return;
    flat.push_back(position);
    flat.push_back(number);
  };
  for (std::size_t i = 0; i < std::size(task_counters); ++i) add(i, counts.*task_counters[i]);
  for (const auto& place : histograms) {
    const auto& histogram = counts.*place.which;
    add(place.sum_at, static_cast<std::uint64_t>(histogram.sum().count()));
    for (std::size_t i = 0; i < duration_histogram::ranges; ++i) add(place.ranges_at + i, histogram.count(i));
  }
  std::string out;
  encoder to(out);
  to.array(flat.size());
  for (const auto number : flat) to.unsigned_integer(number);
  return out;
}

task_stats decode_counts(std::string_view encoded) noexcept {
  task_stats counts;
  try {
    decoder in(encoded);
    for (auto pairs = in.array() / 2; pairs > 0; --pairs) {
      const auto position = in.unsigned_integer();
      put(counts, position, in.unsigned_integer(max_number));
    }
  } catch (const decode_error&) {
    return {};
  }
  return counts;
}

void merge_minutes(std::vector<task_minute>& all) {
  const auto place = [](const task_minute& one) { return std::tie(one.minute, one.task); };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  std::vector<task_minute> merged;
  for (auto& one : all) {
    if (!merged.empty() && place(merged.back()) == place(one))
      merged.back().counts.add(one.counts);
    else
      merged.push_back(std::move(one));
  }
  all = std::move(merged);
}

}  // namespace quarq::broker
