// Recurring jobs: schedules as fields or crontab expressions, with time zones.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

#include <quarq/level.hpp>
#include <quarq/retention.hpp>
#include <quarq/retry.hpp>

namespace quarq {

/// One field of a schedule: empty (any value), a number, several numbers, or text as in a crontab:
/// `.minute = 30`, `.minute = {0, 30}`, `.minute = "*/15"`, `.weekday = "mon-fri"`, `.weekday = {"sat",
/// "sun"}`.
class cron_field {
 public:
  class item {
   public:
    item(int number) : text_(std::to_string(number)) {}
    item(const char* text) : text_(text) {}
    item(std::string text) : text_(std::move(text)) {}
    const std::string& text() const noexcept { return text_; }

   private:
    std::string text_;
  };

  cron_field() : text_("*") {}
  cron_field(int number) : text_(std::to_string(number)) {}
  cron_field(const char* text) : text_(text) {}
  cron_field(std::string text) : text_(std::move(text)) {}
  cron_field(std::initializer_list<item> items) {
    for (const auto& i : items) add(i);
  }
  /// A container of numbers or texts, such as std::set<int>.
  template <std::ranges::input_range R>
    requires (std::constructible_from<item, std::ranges::range_reference_t<const R>> &&
              !std::convertible_to<R, std::string>)
  cron_field(const R& items) {
    for (const auto& i : items) add(i);
  }

  /// As in a crontab; empty for an empty container, which no schedule accepts.
  const std::string& text() const noexcept { return text_; }

 private:
  void add(const item& i) {
    if (!text_.empty()) text_ += ',';
    text_ += i.text();
  }

  std::string text_;
};

/// What happens to a run that is due while an earlier run of the same cron job has not ended: that one runs,
/// or waits for a worker or for its next attempt.
enum class overlap {
  skip,   ///< the run is skipped
  after,  ///< it begins when the earlier one has ended. At most one waits; further ones are skipped
  allow,  ///< both run
};

/// What happens to runs that were due while no worker was running.
enum class missed {
  skip,      ///< they are skipped
  run_once,  ///< one run takes place as soon as a worker runs, however many were missed
};

/// When a cron job runs, and how. The schedule is either `crontab`, or the fields above it, all of which must
/// match: day AND weekday, unlike in a crontab. Without any field it runs each minute.
struct cron_options {
  cron_field month = {};    ///< 1 to 12, or "jan" to "dec"
  cron_field day = {};      ///< of the month, from 1
  cron_field weekday = {};  ///< "mon" to "sun", or 0 (Monday) to 6 (Sunday)
  cron_field hour = {};
  cron_field minute = {};
  cron_field second = 0;
  int microsecond = 0;  ///< jobs become due in whole milliseconds
  /// Replaces the fields: "30 3 * * mon-fri", "@daily"; see cron_schedule.
  std::string crontab = {};
  /// An IANA name, "Europe/London".
  std::string timezone = "UTC";

  /// Run once more when workers start: when a worker starts and no such run waits, runs, or has ended less
  /// than startup_window ago. Several workers that start together therefore make one run.
  bool run_at_startup = false;
  std::chrono::milliseconds startup_window = std::chrono::minutes(1);
  quarq::overlap overlap = quarq::overlap::skip;
  quarq::missed missed = quarq::missed::skip;
  /// With missed::run_once: runs missed longer ago than this are skipped. nullopt: no limit.
  std::optional<std::chrono::milliseconds> missed_within = std::nullopt;
  /// A run that could not start because no worker was running still takes place if it is at most this late.
  /// (One that waits because all workers are busy always takes place.)
  std::chrono::milliseconds tolerance = std::chrono::minutes(1);

  /// Where it runs; see handler_options.
  std::optional<level> on = std::nullopt;
  /// How long one attempt may take. nullopt: no limit.
  std::optional<std::chrono::milliseconds> timeout = std::chrono::minutes(5);
  /// For level::process; see handler_options.
  std::optional<std::uint64_t> memory_limit = std::nullopt;
  retry_policy retry = backoff::none();
  /// How long the end of a run can be looked up: at least a minute, a failure at least an hour. (With a
  /// job_id exactly this long, because a kept end prevents the next run.)
  retention keep_result = std::chrono::milliseconds{0};
  /// 0 to 9; the highest is claimed first.
  int priority = 5;
  /// The queue of its jobs. Empty: the first of the worker's queues. A worker that does not serve this queue
  /// does not plan the cron job.
  std::string queue = {};
  /// All runs have this id, and a run is skipped while another job with it exists or its end is kept. Empty:
  /// each run has an id of its own, cron:NAME:TIME, where TIME is Unix time in ms.
  std::string job_id = {};
  /// One run for all workers. If false, each worker plans its own.
  bool unique = true;
};

/// A set of time points, given by fields of local time. A value: immutable, cheap to copy, thread-safe.
///
/// Daylight saving time: a schedule that runs in any hour (hour is "*") follows elapsed time: it runs in each
/// matching minute of each hour that exists. A schedule that names hours follows local time: a time that the
/// clocks skip is moved to the change (several skipped times run once), and a time that they show twice runs
/// the first time only.
class cron_schedule {
 public:
  using time_point = std::chrono::sys_time<std::chrono::microseconds>;

  /// Five fields as in crontab(5), minute, hour, day, month, weekday; or six with the second before them; or
  /// @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually). A field is a list of numbers,
  /// names, ranges and steps: "*", "0,30", "mon-fri", "8-18/2", "*/15". Weekdays are 0 to 7, Sunday being
  /// both. If both day and weekday are restricted (neither begins with *), a day needs to match only one of
  /// them, as in crontab(5). Throws usage_error naming the field and the column; also if the time zone
  /// is unknown or the schedule never comes.
  explicit cron_schedule(std::string_view crontab, std::string_view zone = "UTC");

  /// The schedule part of `options`. Throws usage_error naming the field.
  explicit cron_schedule(const cron_options& options);

  /// The first time of the schedule that lies in a later second than `after`. `after`: from the year 1900
  /// to the year 9000, or usage_error is thrown. (Clock changes are known up to 2037, as far as the time
  /// zone database lists them.)
  time_point next(time_point after) const;

  /// For logs: "30 3 * * mon-fri Europe/London".
  const std::string& text() const noexcept;

 private:
  struct rules;
  std::shared_ptr<const rules> rules_;
};

}  // namespace quarq
