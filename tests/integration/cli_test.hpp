// Runs the quarq command on each kind of broker.
#pragma once

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <quarq/task.hpp>
#include <quarq/worker.hpp>

#include "support/broker_fixtures.hpp"
#include "support/command.hpp"
#include "support/on_loop.hpp"

namespace quarq::test::cli_tests {

using strings = std::vector<std::string>;

inline const std::string quarq_path = QUARQ_TEST_BIN_DIR "/quarq";

inline constexpr task<int(int, int)> add{"add", "a", "b"};
inline constexpr task<void(std::string)> greet{"greet", "whom"};

/// What is expected of a command that did what it was asked.
inline void expect_good(const command_result& r) {
  EXPECT_EQ(r.exit_code, 0) << r.out << r.err;
  EXPECT_EQ(r.err, "");
}

/// One line on the standard error, and nothing else.
inline void expect_error(const command_result& r, int code, const std::string& line) {
  EXPECT_EQ(r.exit_code, code);
  EXPECT_EQ(r.err, "quarq: " + line + "\n");
  EXPECT_EQ(r.out, "");
}

inline strings lines_of(const std::string& text) {
  strings lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline std::string one_line(const command_result& r) {
  const auto lines = lines_of(r.out);
  EXPECT_EQ(lines.size(), 1u) << r.out << r.err;
  return lines.empty() ? "" : lines.front();
}

class cli_test : public testing::TestWithParam<broker_kind> {
 protected:
  command_result quarq(strings arguments, command_options options = {}) const {
    arguments.insert(arguments.begin(), quarq_path);
    options.environment.push_back("QUARQ_BROKER=" + place_->url());
    return run_command(std::move(arguments), std::move(options));
  }

  boost::json::value quarq_json(strings arguments) const {
    arguments.push_back("--json");
    const auto r = quarq(std::move(arguments));
    EXPECT_EQ(r.err, "");
    return boost::json::parse(one_line(r));
  }

  std::string enqueued(strings arguments) const {
    arguments.insert(arguments.begin(), "enqueue");
    const auto r = quarq(std::move(arguments));
    expect_good(r);
    return one_line(r);
  }

  std::string state_of(const std::string& id) const {
    return quarq_json({"job", id}).at("state").as_string().c_str();
  }

  worker_options options() const {
    worker_options o;
    o.broker = place_->url();
    return o;
  }

  /// Runs the queued jobs: `add` adds, `greet` throws.
  void work(worker_options o, retry_policy retry = handler_options{}.retry) const {
    worker w(o);
    w.handle(add, [](int a, int b) { return a + b; });
    const auto throws = [](std::string whom) { throw std::runtime_error("no greeting for " + whom); };
    w.handle(greet, throws, {.retry = retry});
    run_on_loop(w.run());
  }
  void work() const {
    auto o = options();
    o.burst = true;
    work(o);
  }

  std::string url() const { return place_->url(); }
  broker_fixture& place() const { return *place_; }

 private:
  std::unique_ptr<broker_fixture> place_ = GetParam().make();
};

inline std::vector<broker_kind> cli_brokers() {
  std::vector<broker_kind> chosen;
  for (const auto& kind : broker_kinds()) {
    if (kind.name == "sqlite_full" || kind.name == "redis_appendonly" || kind.name == "arq_pickle")
      chosen.push_back(kind);
  }
  return chosen;
}

}  // namespace quarq::test::cli_tests
