// The four levels, each compared to its floor and to other libraries.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "samples.hpp"

namespace quarq::bench {

/// How a figure compares to another one.
struct comparison {
  std::string other;  ///< its name among the samples
  /// Shown before the other's name: a figure is "0.9 x" another, or "12 x as fast as" one that is a time.
  bool inverse = false;
  std::optional<double> at_least = std::nullopt, at_most = std::nullopt;
};

inline comparison times(std::string other) {
  return {std::move(other)};
}
inline comparison as_fast_as(std::string other) {
  return {std::move(other), true};
}

/// A line of the table: a name among the samples, and what it is measured against.
struct row {
  std::string what;
  std::string unit;
  std::vector<comparison> compared_to = {};
  std::optional<double> at_least = std::nullopt;
};

struct part {
  std::string name;  ///< for --only
  std::string title;
  std::function<void(samples&)> measure;  ///< once; adds to the samples what the rows name
  std::vector<row> rows;
};

part coroutines_part();
part threads_part();
part speed_up_part();
part processes_part();
part queues_part();
part machines_part();

/// The whole of `quarq-bench levels`.
int levels_main(int argc, char** argv);

/// In a process of its own, whose memory nothing else has touched: prints the bytes that one waiting
/// coroutine takes.
int waiting_coroutines_main();

/// Runs a part of levels.py and adds its figures, each under the name given for it.
void measure_python(samples& to, const std::string& part,
                    const std::vector<std::pair<std::string, std::string>>& names);
/// The same of levels.mjs. Without node, adds nothing.
void measure_node(samples& to, const std::vector<std::pair<std::string, std::string>>& names);

}  // namespace quarq::bench
