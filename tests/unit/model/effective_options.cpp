// The call's options over the handler's.
#include "model/effective_options.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::model {
namespace {

using namespace std::chrono_literals;

TEST(effective_options, by_default_the_handler_decides) {
  handler_options options;
  options.timeout = 7s;
  options.retry = backoff::constant(2s).attempts(3);
  const auto o = effective_options_for(record{}, options);
  EXPECT_EQ(o.timeout, 7s);
  EXPECT_EQ(o.retry, options.retry);
}

TEST(effective_options, the_call_decides_over_the_handler) {
  handler_options options;
  options.timeout = 7s;
  options.retry = backoff::constant(2s).attempts(3);
  record r;
  r.timeout = 9s;
  EXPECT_EQ(effective_options_for(r, options).timeout, 9s);
  r.max_attempts = 8;
  EXPECT_EQ(effective_options_for(r, options).retry, backoff::constant(2s).attempts(8));
  r.backoff = backoff::constant(4s).attempts(99);
  EXPECT_EQ(effective_options_for(r, options).retry, backoff::constant(4s).attempts(8));
  r.max_attempts.reset();
  EXPECT_EQ(effective_options_for(r, options).retry, backoff::constant(4s).attempts(3))
      << "the attempts are the handler's";
}

struct retention_row {
  std::string name;
  std::optional<retention> call, handler;
  bool returns_void;
  retention success, failure;
  std::optional<milliseconds> asked_for{};  ///< if failures are kept for longer
};

TEST(effective_options, results_are_kept_as_asked_and_failures_for_an_hour_at_least) {
  const std::vector<retention_row> rows = {
      {"a value, an hour", {}, {}, false, 1h, 1h},
      {"void, for a minute", {}, {}, true, 1min, 1h},
      {"the handler's option", {}, 5min, false, 5min, 1h, 5min},
      {"the handler's option for void", {}, 5min, true, 5min, 1h, 5min},
      {"longer than an hour", {}, 24h, false, 24h, 24h},
      {"the call's option over the handler's", 2h, 5min, false, 2h, 2h},
      {"the call wants none", 0ms, 24h, false, 0ms, 1h, 0ms},
      {"forever", forever, {}, true, forever, forever},
  };
  for (const auto& row : rows) {
    record r;
    r.keep_result = row.call;
    handler_options options;
    options.keep_result = row.handler;
    const auto o = effective_options_for(r, options, row.returns_void ? default_void_keep : default_keep);
    EXPECT_TRUE(o.keep_success == row.success) << row.name;
    EXPECT_TRUE(o.keep_failure == row.failure) << row.name;
    EXPECT_EQ(o.keep_asked_for, row.asked_for) << row.name;
  }
}

}  // namespace
}  // namespace quarq::model
