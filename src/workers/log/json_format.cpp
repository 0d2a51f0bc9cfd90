#include "workers/log/json_format.hpp"

#include <chrono>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/details/log_msg.h>

#include "base/log.hpp"
#include "codecs/hex.hpp"
#include "codecs/json.hpp"
#include "workers/log/json_text.hpp"
#include "workers/log/printable_job.hpp"

namespace quarq::workers {
namespace {

using broker::logged_error;
using broker::logged_job;
using broker::logged_stop;
using broker::logged_worker;
using std::chrono::milliseconds;
using log_level = spdlog::level::level_enum;

/// Of a message that is no event: longer ones are cut.
constexpr std::size_t max_message = 4'096;

/// Marks a message as a JSON object, which no text that others chose can do.
constexpr char object_mark[] = "quarq JSON object";

void log_object(log_level at, const json_members& members) {
  const std::string object = members.object();
  base::log().log(spdlog::source_loc{"", 0, object_mark}, at, spdlog::string_view_t(object));
}

json_members about(const char* event, const logged_job& job) {
  json_members members;
  members.text("event", event).text("task", job.task).text("id", job.id).text("queue", job.queue);
  members.number("attempt", job.attempts).number("max_attempts", job.max_attempts);
  if (job.trace.is_set()) {
    members.text("trace_id", codecs::to_hex(job.trace.trace_id));
    members.text("span_id", codecs::to_hex(job.trace.span_id));
  }
  return members;
}

json_members about_end(const char* event, const logged_job& job) {
  auto members = about(event, job);
  members.ms("took_ms", job.ran);
  return members;
}

class json_objects final : public broker::worker_log_format {
 public:
  const char* line_pattern() const noexcept override { return "%v"; }

  void serving(const logged_worker& w) const override {
    json_members members;
    members.text("event", "serving").text("worker", w.name).texts("queues", w.queues).text("broker", w.url);
    log_object(log_level::info, members.number("concurrency", w.concurrency).texts("tasks", w.tasks));
  }

  void stopping(const logged_stop& stop) const override {
    if (stop.running == 0 || stop.immediately) return;
    json_members members;
    members.text("event", "stopping").text("worker", stop.name).number("running", stop.running);
    log_object(log_level::info, members.ms("timeout_ms", stop.timeout));
  }

  void stopped(const logged_stop& stop) const override {
    json_members members;
    members.text("event", "stopped").text("worker", stop.name).number("done", stop.done);
    log_object(log_level::info, members);
  }

  void started(const logged_job& job) const override {
    if (!base::log().should_log(log_level::info)) return;
    auto members = about("started", job);
    log_object(log_level::info, members.ms("waited_ms", job.waited).text("args", shown_json(job.arguments)));
  }

  void finished(const logged_job& job, std::optional<std::string_view> result) const override {
    if (!base::log().should_log(log_level::info)) return;
    auto members = about_end("finished", job);
    if (result) members.text("result", shown_json(*result));
    log_object(log_level::info, members);
  }

  void retried(const logged_job& job, const logged_error& error, milliseconds pause) const override {
    auto members = about_end("retried", job);
    members.ms("again_in_ms", pause).text("error_type", error.type).text("error", error.message);
    log_object(log_level::warn, members);
  }

  void handed_back(const logged_job& job) const override {
    log_object(log_level::info, about_end("returned", job));
  }

  void failed(const logged_job& job, const logged_error& error, job_state state) const override {
    auto members = about_end("failed", job);
    members.text("state", to_string(state)).text("error_type", error.type).text("error", error.message);
    log_object(log_level::err, members);
  }

  void left_running(const logged_job& job) const override {
    log_object(log_level::warn, about_end("left_running", job));
  }

  void aborted_unstarted(const logged_job& job) const override {
    json_members members;
    members.text("event", "aborted").text("task", job.task).text("id", job.id);
    log_object(log_level::info, members);
  }
};

std::string_view name_of(log_level at) {
  switch (at) {
    case log_level::trace:
      return "trace";
    case log_level::debug:
      return "debug";
    case log_level::warn:
      return "warn";
    case log_level::err:
    case log_level::critical:
      return "error";
    default:
      return "info";
  }
}

class json_lines final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    const auto time = std::chrono::floor<milliseconds>(message.time);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    json_members first;
    first.text("time",
               fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                           (time - seconds).count()));
    first.text("level", name_of(message.level));
    const bool is_object = message.source.funcname == object_mark;
    if (!is_object) first.text("message", text, max_message);
    std::string made = first.object();
    if (is_object) made.replace(made.size() - 1, 1, "," + std::string(text.substr(1)));
    made += '\n';
    line.append(made.data(), made.data() + made.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<json_lines>(); }
};

}  // namespace

const broker::worker_log_format& json_format() {
  static const json_objects only;
  return only;
}

std::unique_ptr<spdlog::formatter> make_json_lines() {
  return std::make_unique<json_lines>();
}

}  // namespace quarq::workers
