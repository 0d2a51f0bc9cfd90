// What a running job says of itself by its context: lines of its log, and how far it is. Stores keep them as one text
// that they do not read, and outcomes hold the same text (docs/payload.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace quarq::model {

/// How much is kept of a job's lines, those of all its attempts together: the newest ones.
inline constexpr std::size_t max_log_lines = 100;
inline constexpr std::size_t max_log_bytes = 8'192;
/// Longer lines are cut, and end in "…".
inline constexpr std::size_t max_log_line = 1'024;

struct job_notes {
  struct line {
    std::int64_t at_ms = 0;  ///< Unix time by the broker's clock
    int attempt = 0;
    std::string text;  ///< any bytes
  };
  struct progress {
    std::uint64_t done = 0;
    std::uint64_t total = 0;  ///< 0: not known
  };

  int attempt = 0;               ///< that has said it, or the last of them
  std::int64_t enqueued_ms = 0;  ///< of the job; another one may have had its id before. 0: not known
  std::deque<line> lines;        ///< oldest first
  std::uint64_t cut = 0;         ///< how many older lines are left out
  std::optional<progress> how_far;

  bool empty() const noexcept { return lines.empty() && cut == 0 && !how_far; }
  /// Adds a line behind the others, and leaves out the oldest ones where they become too many.
  void add(line one);
  /// Adds what a later attempt has said.
  void append(const job_notes& later);
};

/// Calls `what` with each line of a text that a job logs at once: with at least one, which may be empty. Line breaks at the
/// end of the text begin no line.
template <class F>
void for_each_log_line(std::string_view text, F&& what) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  for (bool is_last = false; !is_last;) {
    const auto line = text.substr(0, text.find('\n'));
    what(line);
    is_last = line.size() == text.size();
    text.remove_prefix(is_last ? line.size() : line.size() + 1);
  }
}

std::string encode(const job_notes& notes);
/// Throws decode_error that begins with "job notes: ".
job_notes decode_notes(std::string_view encoded);

/// What a job has said: by the outcome of its last attempt, and by the note of an attempt, which is left out if the outcome
/// has it or if it is of another job than the one that was enqueued then (0: not known). Either may be empty; what can't be
/// read is left out.
job_notes notes_of(std::string_view in_outcome, std::string_view note, std::int64_t enqueued_ms);

}  // namespace quarq::model
