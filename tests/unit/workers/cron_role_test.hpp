// What the tests of cron_planner and cron_gate stand on: one cron job, "tick", of the queue "default".
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <quarq/codec.hpp>

#include "model/record.hpp"
#include "support/cron_times.hpp"
#include "unit/workers/role_test.hpp"
#include "workers/cron_gate.hpp"
#include "workers/cron_planner.hpp"

namespace quarq::test {

class cron_role_test : public role_test {
 protected:
  using time_point = broker::time_point;

  cron::cron_job& add(cron_options how) {
    cron::cron_job made("tick", std::move(how));
    auto& c = jobs_.insert_or_assign("cron:tick", std::move(made)).first->second;
    c.queue = "default";
    return c;
  }
  cron::cron_job& tick() { return jobs_.at("cron:tick"); }

  /// The schedule's time that comes next; of the schedules here, in a whole second.
  time_point next() { return tick().after(broker_.now()); }

  broker::job_details run_in(job_state state, std::string id, std::string after = "") const {
    model::record r;
    r.task = "cron:tick";
    r.arguments = encode_arguments();
    r.after = after;
    auto job = queued(std::move(id), model::encode(r));
    job.state = state;
    job.due_at = broker_.now();
    if (!is_final(state)) return job;
    model::outcome o;
    o.task = "cron:tick";
    o.after = std::move(after);
    o.finished_ms = broker_.now().time_since_epoch().count();
    job.outcome = model::encode(o);
    return job;
  }
  /// A run in this state, planned after another one or skipped because of it.
  void put_run(job_state state, std::string id, std::string after = "") {
    broker_.put("default", run_in(state, std::move(id), std::move(after)));
  }
  bool is_there(const std::string& id) const { return broker_.find("default", id) != nullptr; }
  std::string after_of(const std::string& id) const {
    return model::decode_record(broker_.at("default", id).record).after;
  }
  strings enqueued() const {
    strings all;
    for (const auto& c : broker_.calls(operation::enqueue)) all.insert(all.end(), c.ids.begin(), c.ids.end());
    return all;
  }

  workers::cron_jobs jobs_;
  workers::cron_runs runs_{broker_};
  workers::broker_clock broker_time_{clock_, loop_.executor()};
};

}  // namespace quarq::test
