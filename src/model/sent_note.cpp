#include "model/sent_note.hpp"

#include <quarq/msgpack.hpp>

#include "model/job_notes.hpp"

namespace quarq::model {

namespace {

constexpr std::size_t values_of_log = 1, values_of_progress = 2;

// Which one line more may exceed.
constexpr std::size_t max_note = 32 * 1024;

std::string log_note(std::string_view lines) {
  std::string note;
  encoder out(note);
  out.array(values_of_log);
  out.binary(lines);
  return note;
}

}  // namespace

std::vector<std::string> log_notes(std::string_view text) {
  std::vector<std::string> notes;
  std::string lines;
  bool has_begun = false;
  for_each_log_line(text, [&](std::string_view line) {
    if (has_begun) lines += '\n';
    has_begun = true;
    lines += line.substr(0, max_log_line + 1);
    if (lines.size() <= max_note) return;
    notes.push_back(log_note(lines));
    lines.clear();
    has_begun = false;
  });
  if (has_begun) notes.push_back(log_note(lines));
  return notes;
}

std::string progress_note(std::uint64_t done, std::uint64_t total) {
  std::string note;
  encoder out(note);
  out.array(values_of_progress);
  out.unsigned_integer(done);
  out.unsigned_integer(total);
  return note;
}

void pass_on(std::string_view note, const context& to) {
  decoder in(note, "note of a job");
  const auto values = in.array();
  if (values == values_of_log) {
    const auto text = in.binary();
    in.finish();
    to.log(text);
  } else if (values == values_of_progress) {
    const auto done = in.unsigned_integer();
    const auto total = in.unsigned_integer();
    in.finish();
    to.progress(done, total);
  } else {
    in.fail("it is neither a line nor progress");
  }
}

}  // namespace quarq::model
