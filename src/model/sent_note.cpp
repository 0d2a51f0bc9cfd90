#include "model/sent_note.hpp"

#include <algorithm>

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
  while (text.ends_with('\n')) text.remove_suffix(1);
  for (bool is_last = false; !is_last;) {
    const auto line = text.substr(0, text.find('\n'));
    lines += line.substr(0, max_log_line + 1);
    is_last = line.size() == text.size();
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (is_last || lines.size() > max_note) {
      notes.push_back(log_note(lines));
      lines.clear();
    } else {
      lines += '\n';
    }
  }
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
