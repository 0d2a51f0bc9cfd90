// What a worker announces as it opens its lease: the tasks that it handles. A msgpack map, {"tasks": names in
// their order, "cut": how many more there are}; unknown keys are ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quarq::model {

/// How many bytes of names are announced at most; the rest is counted.
inline constexpr std::size_t max_announced = 16 << 10;

struct announcement {
  std::vector<std::string> tasks;  ///< sorted
  std::uint64_t cut = 0;           ///< tasks that were not named
  bool known = false;              ///< false: the worker has announced nothing, and may handle anything

  /// Whether the worker may handle the task: as far as it has said, or where it has not said all.
  bool may_include(std::string_view task) const;
};

std::string encode_announcement(std::vector<std::string> tasks);

/// Never throws: other programs may have written it. Not known where it can't be read.
announcement read_announcement(std::string_view encoded);

}  // namespace quarq::model
