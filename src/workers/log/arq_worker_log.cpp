#include "workers/log/arq_worker_log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.hpp"
#include "codecs/python/pickle_names.hpp"
#include "codecs/python/python_repr.hpp"

namespace quarq::workers {
namespace {

// arq does not mention that a job began later than it was due, up to this.
constexpr model::milliseconds hardly_late{1'200};

template <class Duration>
double in_seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

std::string result_shown(std::string_view encoded) {
  auto text = shown_by([&] { return to_python(encoded, max_shown); });
  return text == "None" ? std::string() : text;
}

std::string arguments_shown(const logged_job& job) {
  return shown_by([&] { return to_python_arguments(job.arguments, job.by_position, job.names, max_shown); });
}

/// What Python's users know a job's line by.
std::string reference(const logged_job& job) {
  return job.is_cron ? std::string(job.task) : fmt::format("{}:{}", job.id, job.task);
}

/// "ValueError: no such page"; what has no counterpart in Python has its own name.
std::string error_shown(const model::attempt& a) {
  const auto python = codecs::exception_for(a.error_type).name;
  return fmt::format("{}: {}", python.empty() ? std::string_view(a.error_type) : python, a.error);
}

class arq_worker_log final : public worker_log {
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

  void left_running(const logged_job& job) const override { returned(job); }

  void aborted_unstarted(const logged_job& job) const override {
    base::log().info("{:6.2f}s ⊘ {}:{} aborted before start", in_seconds(job.age), job.id, job.task);
  }

  void stopping(const logged_stop& stop) const override {
    if (stop.asked_by.empty()) return;
    if (stop.at_once || stop.grace == model::milliseconds{0}) {
      say_shutdown(stop, "", "ongoing to cancel");
    } else {
      base::log().info("Setting allow_pick_jobs to `False`");
      say_shutdown(stop, "", "to be completed");
    }
  }

  void grace_over(const logged_stop& stop) const override {
    if (!stop.asked_by.empty()) say_shutdown(stop, ", wait complete", "ongoing to cancel");
  }

 protected:
  void finished(const logged_job& job, std::optional<std::string_view> result) const override {
    if (!base::log().should_log(spdlog::level::info)) return;
    base::log().info("{:6.2f}s ← {} ● {}", in_seconds(job.ran), reference(job),
                     result ? result_shown(*result) : std::string());
  }

  void retried(const logged_job& job, const model::attempt& a, model::milliseconds pause) const override {
    const auto retrying = fmt::format("retrying job in {:.2f}s", in_seconds(pause));
    if (a.result == model::attempt::result_kind::unknown_task) {
      base::log().warn("{}, {}", not_found(job), retrying);
    } else if (a.pause) {
      base::log().info("{:6.2f}s ↻ {} {}", in_seconds(job.ran), reference(job), retrying);
    } else {
      // arq ends a job whose function raises anything else: what was raised must be seen.
      base::log().warn("{:6.2f}s ↻ {} {}, {}", in_seconds(job.ran), reference(job), retrying, error_shown(a));
    }
  }

  void returned(const logged_job& job) const override {
    base::log().info("{:6.2f}s ↻ {} cancelled, will be run again", in_seconds(job.ran), reference(job));
  }

  void failed(const logged_job& job, const model::attempt& a, job_state state) const override {
    auto& log = base::log();
    if (state == job_state::expired) {
      log.warn("job {} expired", job.id);
    } else if (state == job_state::cancelled) {
      log.info("{:6.2f}s ⊘ {} aborted", in_seconds(job.ran), reference(job));
    } else if (job.task.empty()) {
      log.error("deserializing job {} failed: {}", job.id, a.error);
    } else if (a.result == model::attempt::result_kind::unknown_task) {
      log.warn("{}", not_found(job));
    } else if (a.result == model::attempt::result_kind::exhausted || a.pause) {
      log.warn("{:6.2f}s ! {} max retries {} exceeded", in_seconds(job.age), reference(job),
               job.max_attempts);
    } else {
      log.error("{:6.2f}s ! {} failed, {}", in_seconds(job.ran), reference(job), error_shown(a));
    }
  }

 private:
  static std::string not_found(const logged_job& job) {
    return fmt::format("job {}, function {} not found", job.id, python_quoted(job.task));
  }

  static void say_shutdown(const logged_stop& stop, std::string_view stage, std::string_view fate) {
    base::log().info("shutdown on {}{} ◆ {} jobs complete ◆ {} failed ◆ {} retries ◆ {} {}", stop.asked_by,
                     stage, stop.ended.complete, stop.ended.failed, stop.ended.retried, stop.running, fate);
  }
};

}  // namespace

std::unique_ptr<worker_log> make_arq_worker_log() {
  return std::make_unique<arq_worker_log>();
}

}  // namespace quarq::workers
