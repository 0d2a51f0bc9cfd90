#include "cron/cron_job.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "clients/paused_crons.hpp"
#include "model/record.hpp"

namespace quarq::cron {
namespace {

constexpr std::string_view startup_word = "startup";

std::string task_for(std::string_view name) {
  clients::check_cron_name(name);
  return std::string(cron_prefix) + std::string(name);
}

void check_time(const char* option, model::milliseconds value) {
  if (value >= model::milliseconds{0} && value <= model::max_time) return;
  throw usage_error(
      fmt::format("option {}: expected 0 to {} ms, got {}", option, model::max_time.count(), value.count()));
}

void check(const cron_options& o) {
  check_time("startup_window", o.startup_window);
  check_time("tolerance", o.tolerance);
  if (o.missed_within) check_time("missed_within", *o.missed_within);
  if (o.timeout) check_time("timeout", *o.timeout);
  if (const auto keep = o.keep_result.duration()) check_time("keep_result", *keep);
  if (o.priority < broker::min_priority || o.priority > broker::max_priority) {
    throw usage_error(fmt::format("option priority: expected {} to {}, got {}", broker::min_priority,
                                  broker::max_priority, o.priority));
  }
  if (o.job_id.size() > 255) {
    throw usage_error(fmt::format("option job_id: expected at most 255 bytes, got {}", o.job_id.size()));
  }
  if (!o.job_id.empty() && o.overlap != overlap::skip) {
    throw usage_error(
        "option job_id: jobs of one id can't overlap or wait for each other: overlap must be skip");
  }
}

cron_schedule checked_schedule(std::string_view name, const cron_options& o) {
  try {
    check(o);
    return cron_schedule(o);
  } catch (const usage_error& e) {
    throw usage_error(fmt::format("cron {}: {}", name, e.what()));
  }
}

}  // namespace

cron_job::cron_job(std::string_view name, cron_options how)
    : task(task_for(name)), options(std::move(how)), schedule(checked_schedule(name, options)) {}

// Rounded, as in the ids of arq's runs: a run close to the end of its second has the next second in its id.
broker::time_point cron_job::after(broker::time_point now) const {
  constexpr std::chrono::microseconds half{500};
  std::chrono::sys_time<std::chrono::microseconds> from = now;
  if (options.microsecond >= 999'500) from -= half;
  return std::chrono::round<model::milliseconds>(schedule.next(from));
}

bool cron_job::comes_at(broker::time_point due) const {
  const std::chrono::seconds second{1};
  const auto from = std::chrono::floor<std::chrono::seconds>(due) - second;
  return after(from) == due || after(from - second) == due;
}

std::string cron_job::run_id(broker::time_point due) const {
  const auto id = fmt::format("{}:{}", task, due.time_since_epoch().count());
  return options.unique ? id : id + ":" + instance;
}

std::string cron_job::startup_id() const {
  const auto id = fmt::format("{}:{}", task, startup_word);
  return options.unique ? id : id + ":" + instance;
}

cron_run parse_cron_run(std::string_view task, std::string_view id) {
  cron_run run;
  if (!id.starts_with(task) || id.size() <= task.size() || id[task.size()] != ':') return run;
  auto rest = id.substr(task.size() + 1);
  const auto colon = std::min(rest.find(':'), rest.size());
  const auto word = rest.substr(0, colon);
  if (colon < rest.size()) run.instance = rest.substr(colon + 1);
  if (word == startup_word) {
    run.what = cron_run::kind::startup;
    return run;
  }
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), ms);
  // Clients choose ids: refuse a time that a schedule could not be asked about.
  constexpr std::int64_t year_9000 = 221'845'392'000'000;
  if (error != std::errc() || end != word.data() + word.size() || ms < 0 || ms > year_9000) return run;
  run.what = cron_run::kind::planned;
  run.due = broker::time_point(model::milliseconds(ms));
  return run;
}

broker::time_point meant_for(std::string_view task, const broker::claimed_job& job) {
  if (!task.starts_with(cron_prefix)) return job.due_at;
  const auto run = parse_cron_run(task, job.id);
  return run.what == cron_run::kind::planned ? run.due : job.due_at;
}

}  // namespace quarq::cron
