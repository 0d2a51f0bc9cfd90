#include "cli/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/terminal.hpp"

namespace quarq::cli {

namespace {

// The first error of writing to the standard output.
int output_error = 0;

}  // namespace

void print(std::string_view text) {
  if (output_error != 0) return;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) output_error = errno;
}

void print_line(std::string_view text) {
  print(terminal_safe(text) + '\n');
}

void print_table(const table& rows) {
  print(rows.text(base::terminal_columns(STDOUT_FILENO).value_or(0)));
}

void complain(std::string_view text) {
  // Keeps the order of output and errors where both go to the same place.
  if (output_error == 0 && std::fflush(stdout) != 0) output_error = errno;
  fmt::print(stderr, "quarq: {}\n", terminal_safe(text));
}

bool finish_output() {
  if (output_error == 0 && std::fflush(stdout) != 0) output_error = errno;
  if (output_error == 0 || output_error == EPIPE) return true;
  complain(fmt::format("can't write the output: {}", std::strerror(output_error)));
  return false;
}

bool output_is_read() {
  pollfd out{STDOUT_FILENO, 0, 0};
  const bool is_closed = poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
  return output_error == 0 && !is_closed;
}

std::string json_array(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const auto& value : values) {
    if (out.size() > 1) out += ", ";
    out += value;
  }
  return out + "]";
}

json_object& json_object::text_or_null(std::string_view key, std::string_view value) {
  return json(key, value.empty() ? "" : json_string(value));
}

json_object& json_object::time(std::string_view key, const std::optional<time_point>& value) {
  return json(key, value ? json_string(iso8601(*value)) : "");
}

json_object& json_object::json(std::string_view key, std::string_view value) {
  if (!members_.empty()) members_ += ", ";
  members_ += json_string(key);
  members_ += ": ";
  members_ += value.empty() ? "null" : value;
  return *this;
}

}  // namespace quarq::cli
