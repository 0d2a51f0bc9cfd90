// A cron job as a worker knows it, and the ids of its runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <quarq/cron.hpp>

#include "broker/broker.hpp"

namespace quarq::cron {

/// What the task of every cron job begins with; its name follows.
inline constexpr std::string_view cron_prefix = "cron:";

/// The end of a run can be looked up for as long as this at least, so that a worker that plans it too late,
/// having stood still in between, is told that it has been.
inline constexpr broker::milliseconds kept_at_least = std::chrono::minutes(1);

struct cron_job {
  /// Throws usage_error that begins with "cron NAME: ".
  cron_job(std::string_view name, cron_options how);

  std::string task;  ///< cron:NAME
  cron_options options;
  cron_schedule schedule;

  // ---- of the worker that plans it
  std::string queue;             ///< empty: the worker does not serve its queue
  std::string instance;          ///< what tells this worker's runs from others', if each worker plans its own
  broker::time_point next;       ///< the run that is looked after
  std::string last;              ///< the id of the run before, as far as this worker has seen it planned
  bool checking = false;         ///< `next` is set, and will be looked for
  broker::time_point look_at{};  ///< when there is something to do

  broker::time_point after(broker::time_point now) const;
  bool comes_at(broker::time_point due) const;
  std::string run_id(broker::time_point due) const;
  std::string startup_id() const;
};

/// What a job of a cron task is, by its id.
struct cron_run {
  enum class kind {
    by_hand,  ///< somebody enqueued it, or it has the id that the options fix
    planned,  ///< for its time, `due`
    startup,
  };
  kind what = kind::by_hand;
  broker::time_point due{};
  std::string instance;
};

cron_run parse_cron_run(std::string_view task, std::string_view id);

/// The time that a job was meant for. A store may say that what was planned late became due when it was
/// stored.
broker::time_point meant_for(std::string_view task, const broker::claimed_job& job);

}  // namespace quarq::cron
