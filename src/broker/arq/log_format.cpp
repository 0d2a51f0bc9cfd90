#include "broker/arq/log_format.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.hpp"
#include "codecs/python/pickle_names.hpp"
#include "codecs/python/python_repr.hpp"

namespace quarq::broker::arq {
namespace {

using std::chrono::milliseconds;

// arq does not mention that a job began later than it was due, up to this.
constexpr milliseconds hardly_late{1'200};

template <class Duration>
double in_seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

std::string result_shown(std::string_view encoded) {
  auto text = shown_by([&] { return codecs::python::to_python(encoded, max_shown); });
  return text == "None" ? std::string() : text;
}

std::string arguments_shown(const logged_job& job) {
  return shown_by([&] {
    return codecs::python::to_python_arguments(job.arguments, job.by_position, job.names, max_shown);
  });
}

/// The start of a job's line, as Python's users know it.
std::string reference(const logged_job& job) {
  return job.is_cron ? std::string(job.task) : fmt::format("{}:{}", job.id, job.task);
}

/// "ValueError: no such page"; an error without counterpart in Python has its own name.
std::string error_shown(const logged_error& error) {
  const auto python = codecs::python::exception_for(error.type).name;
  return fmt::format("{}: {}", python.empty() ? std::string_view(error.type) : python, error.message);
}

class log_format final : public worker_log_format {
 public:
  const char* line_pattern() const noexcept override { return "%H:%M:%S: %v"; }

  void starting(const logged_worker& w, std::string_view server) const override {
    base::log().info("Starting worker for {} functions: {}", w.tasks.size(), fmt::join(w.tasks, ", "));
    if (!server.empty()) base::log().info("{}", server);
  }

  void started(const logged_job& job) const override {
    if (!base::log().should_log(spdlog::level::info)) return;
    std::string more;
    if (job.attempts > 1) more = fmt::format(" try={}", job.attempts);
    // When a later try was due is not known.
    if (job.attempts == 1 && job.waited > hardly_late)
      more += fmt::format(" delayed={:.2f}s", in_seconds(job.waited));
    base::log().info("{:6.2f}s → {}({}){}", in_seconds(job.age), reference(job), arguments_shown(job), more);
  }

  void left_running(const logged_job& job) const override { handed_back(job); }

  void aborted_unstarted(const logged_job& job) const override {
    base::log().info("{:6.2f}s ⊘ {}:{} aborted before start", in_seconds(job.age), job.id, job.task);
  }

  void stopping(const logged_stop& stop) const override {
    if (stop.asked_by.empty()) return;
    if (stop.immediately || stop.timeout == milliseconds{0}) {
      say_shutdown(stop, "", "ongoing to cancel");
    } else {
      base::log().info("Setting allow_pick_jobs to `False`");
      say_shutdown(stop, "", "to be completed");
    }
  }

  void stop_timed_out(const logged_stop& stop) const override {
    if (!stop.asked_by.empty()) say_shutdown(stop, ", wait complete", "ongoing to cancel");
  }

  void finished(const logged_job& job, std::optional<std::string_view> result) const override {
    if (!base::log().should_log(spdlog::level::info)) return;
    base::log().info("{:6.2f}s ← {} ● {}", in_seconds(job.ran), reference(job),
                     result ? result_shown(*result) : std::string());
  }

  void retried(const logged_job& job, const logged_error& error, milliseconds pause) const override {
    const auto retrying = fmt::format("retrying job in {:.2f}s", in_seconds(pause));
    if (error.why == logged_error::kind::unknown_task) {
      base::log().warn("{}, {}", not_found(job), retrying);
    } else if (error.why == logged_error::kind::retry_requested) {
      base::log().info("{:6.2f}s ↻ {} {}", in_seconds(job.ran), reference(job), retrying);
    } else {
      // arq ends a job whose function raises anything else: the exception must be seen.
      base::log().warn("{:6.2f}s ↻ {} {}, {}", in_seconds(job.ran), reference(job), retrying,
                       error_shown(error));
    }
  }

  void handed_back(const logged_job& job) const override {
    base::log().info("{:6.2f}s ↻ {} cancelled, will be run again", in_seconds(job.ran), reference(job));
  }

  void failed(const logged_job& job, const logged_error& error, job_state state) const override {
    auto& log = base::log();
    if (state == job_state::expired) {
      log.warn("job {} expired", job.id);
    } else if (state == job_state::cancelled) {
      log.info("{:6.2f}s ⊘ {} aborted", in_seconds(job.ran), reference(job));
    } else if (job.task.empty()) {
      log.error("deserializing job {} failed: {}", job.id, error.message);
    } else if (error.why == logged_error::kind::unknown_task) {
      log.warn("{}", not_found(job));
    } else if (error.why == logged_error::kind::attempts_exhausted ||
               error.why == logged_error::kind::retry_requested) {
      log.warn("{:6.2f}s ! {} max retries {} exceeded", in_seconds(job.age), reference(job),
               job.max_attempts);
    } else {
      log.error("{:6.2f}s ! {} failed, {}", in_seconds(job.ran), reference(job), error_shown(error));
    }
  }

 private:
  static std::string not_found(const logged_job& job) {
    return fmt::format("job {}, function {} not found", job.id, codecs::python::python_quoted(job.task));
  }

  static void say_shutdown(const logged_stop& stop, std::string_view note, std::string_view fate) {
    base::log().info("shutdown on {}{} ◆ {} jobs complete ◆ {} failed ◆ {} retries ◆ {} {}", stop.asked_by,
                     note, stop.ended.complete, stop.ended.failed, stop.ended.retried, stop.running, fate);
  }
};

}  // namespace

const worker_log_format& arq_log_format() {
  static const log_format only;
  return only;
}

}  // namespace quarq::broker::arq
