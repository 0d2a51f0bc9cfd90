// A fetcher at a scripted broker.
#pragma once

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "unit/workers/role_test.hpp"
#include "workers/fetcher.hpp"

namespace quarq::test {

class fetcher_test : public role_test {
 protected:
  explicit fetcher_test(const strings& queues = {"default"}) : role_test(queues) {
    hold(lease());
    slots_.set_limit(level::loop, 100);
    start(settler_.run(lease()));
  }

  workers::fetcher& fetch() {
    if (!fetcher_) make();
    start(fetcher_->run());
    return *fetcher_;
  }
  void make(bool burst = false) {
    fetcher_.emplace(workers::fetcher::params{
        broker_, leases_, slots_, settler_, broker_time_, clock_, loop_.executor(), random_, burst,
        [this](workers::queue_lease&, broker::claimed_job job, broker::time_point now) {
          claimed_at_ = now;
          slots_.job_began();
          started_.push_back(job.id);
          if (job.id == "alone") slots_.close();
          if (on_start_) on_start_();
        },
        [this] { return is_idle_; }, [this] { ++failures_; },
        [this](const workers::queue_lease&) { return known_; }});
  }
  void put(const strings& ids) {
    for (const auto& id : ids) broker_.put("default", queued(id));
  }
  void push(workers::fetcher& to, const std::string& id, const std::string& token = "token") {
    put_held(id);
    push_to(lease(), to, id, token);
  }
  void push_to(workers::queue_lease& l, workers::fetcher& to, const std::string& id,
               const std::string& token) {
    broker::claimed_job job;
    job.id = id;
    to.job_pushed(l, token, std::move(job), broker_.now());
  }
  std::vector<std::size_t> claims() const {
    std::vector<std::size_t> all;
    for (const auto& c : broker_.calls(operation::claim)) all.push_back(c.max);
    return all;
  }
  job_state state_of(const std::string& id) const { return broker_.at("default", id).state; }

  workers::slot_table slots_{5, 0};
  workers::settler settler_{{broker_, leases_, clock_, loop_.executor(), [] {}}};
  workers::broker_clock broker_time_{clock_, loop_.executor()};
  std::mt19937_64 random_{1};
  strings started_, known_;
  broker::time_point claimed_at_{};
  bool is_idle_ = false;
  int failures_ = 0;
  std::function<void()> on_start_;
  std::optional<workers::fetcher> fetcher_;
};

}  // namespace quarq::test
