// Three hosts that are killed, stopped and started again while calls go to them.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/rpc/http_machines.hpp>

#include "base/log.hpp"
#include "base/sanitizers.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::rpc_hosts_tests {
namespace {

using namespace std::chrono_literals;

inline constexpr task<std::string(std::string)> note{"note", "key"};

class hosts_under_fire {
 public:
  hosts_under_fire() {
    for (int i = 0; i < 3; ++i) {
      running_.push_back(nullptr);
      ports_.push_back("0");
      start(static_cast<std::size_t>(i));
      urls.push_back("http://127.0.0.1:" + ports_.back());
    }
    chaos_ = std::jthread([this](std::stop_token stop) { rage(stop); });
  }

  /// How often each key was begun.
  std::map<std::string, int> begun() const {
    std::map<std::string, int> times;
    std::istringstream lines(read_file(journal()));
    for (std::string line; std::getline(lines, line);) ++times[line];
    return times;
  }

  std::vector<std::string> urls;
  std::atomic<int> faults = 0;

 private:
  std::string journal() const { return (folder_.path() / "journal").string(); }

  void start(std::size_t i) {
    const std::vector<std::string> words{program("rpc_host"), ports_[i], journal()};
    running_[i] = std::make_unique<process>(words);
    EXPECT_TRUE(eventually([&] { return !running_[i]->lines().empty(); }, default_timeout));
    if (!running_[i]->lines().empty()) ports_[i] = running_[i]->lines().front();
  }

  // The length of a pause is what is tried, not a time to wait for something.
  void rage(const std::stop_token& stop) {
    std::mt19937 random(7);
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(250ms);
      const std::size_t victim = random() % running_.size();
      if (random() % 2 == 0) {
        running_[victim]->kill();
        std::this_thread::sleep_for(100ms);
        start(victim);
      } else {
        running_[victim]->freeze();
        std::this_thread::sleep_for(700ms);
        running_[victim]->thaw();
      }
      ++faults;
    }
  }

  temp_dir folder_;
  std::vector<std::unique_ptr<process>> running_;
  std::vector<std::string> ports_;
  std::jthread chaos_;
};

std::vector<std::string> keys(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back("key-" + std::to_string(i));
  return all;
}

// For a longer run by hand.
const int calls = [] {
  const char* const given = std::getenv("QUARQ_TEST_RPC_CALLS");
  return given != nullptr ? std::atoi(given) : 4'000;
}();

TEST(rpc_hosts, killed_and_stopped_answer_all_calls_that_may_be_sent_again) {
  base::set_log_level("off");
  hosts_under_fire fire;
  http_machines_options options;
  constexpr int slower = base::sanitized ? 4 : 1;
  options.deadline = slower * 10s;
  options.idempotent = true;
  options.attempt_timeout = slower * 500ms;
  const http_machines hosts(fire.urls, options);
  const auto all = keys(calls);
  const auto outcomes = run_on_loop(hosts.map_outcomes(note, all, {.max_concurrency = 8}), 20min);
  int answered = 0;
  std::string why;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (outcomes[i].ok() && outcomes[i].value() == all[i]) {
      ++answered;
    } else {
      why = outcomes[i].message();
    }
  }
  EXPECT_GE(answered, calls - calls / 1'000) << why;
  int begun = 0;
  for (const auto& [key, times] : fire.begun()) begun += times;
  EXPECT_LE(begun, calls + calls / 5);
  EXPECT_GT(fire.faults, 0);
}

TEST(rpc_hosts, killed_and_stopped_begin_no_other_call_twice) {
  base::set_log_level("off");
  hosts_under_fire fire;
  http_machines_options options;
  options.deadline = 2s;
  const http_machines hosts(fire.urls, options);
  const auto all = keys(calls);
  const auto outcomes = run_on_loop(hosts.map_outcomes(note, all, {.max_concurrency = 8}), 20min);
  const auto begun = fire.begun();
  for (const auto& [key, times] : begun) EXPECT_EQ(times, 1) << key;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(!outcomes[i].ok() || begun.count(all[i]) == 1u) << all[i];
  }
  EXPECT_GT(fire.faults, 0);
}

}  // namespace
}  // namespace quarq::test::rpc_hosts_tests
