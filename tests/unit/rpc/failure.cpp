#include "rpc/failure.hpp"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <quarq/detail/bad_payload.hpp>
#include <quarq/http/problem.hpp>

#include "rpc/codes.hpp"
#include "rpc/wire.hpp"

namespace quarq::rpc::failure_tests {
namespace {

using namespace std::chrono_literals;

struct no_space : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class E>
failure failure_of_a(const E& thrown) {
  return failure_of(std::make_exception_ptr(thrown), "crawl");
}

TEST(rpc_codes, have_the_statuses_of_connect) {
  EXPECT_EQ(status_of(code::canceled), 499);
  EXPECT_EQ(status_of(code::unknown), 500);
  EXPECT_EQ(status_of(code::invalid_argument), 400);
  EXPECT_EQ(status_of(code::deadline_exceeded), 504);
  EXPECT_EQ(status_of(code::not_found), 404);
  EXPECT_EQ(status_of(code::already_exists), 409);
  EXPECT_EQ(status_of(code::permission_denied), 403);
  EXPECT_EQ(status_of(code::resource_exhausted), 429);
  EXPECT_EQ(status_of(code::failed_precondition), 400);
  EXPECT_EQ(status_of(code::aborted), 409);
  EXPECT_EQ(status_of(code::out_of_range), 400);
  EXPECT_EQ(status_of(code::unimplemented), 501);
  EXPECT_EQ(status_of(code::internal), 500);
  EXPECT_EQ(status_of(code::unavailable), 503);
  EXPECT_EQ(status_of(code::data_loss), 500);
  EXPECT_EQ(status_of(code::unauthenticated), 401);
  for (int i = 0; i < 16; ++i) {
    const auto c = static_cast<code>(i);
    EXPECT_EQ(code_named(to_string(c)), c);
  }
  EXPECT_EQ(code_named("nonsense"), std::nullopt);
}

TEST(rpc_failure, names_what_the_handler_threw) {
  const auto f = failure_of_a(no_space("no space on device"));
  EXPECT_EQ(f.code, code::unknown);
  const auto answer = answer_with(f);
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.headers["Content-Type"], "application/json");
  EXPECT_EQ(answer.body,
            "{\"code\": \"unknown\", \"message\": \"no space on device\", \"details\": [{\"type\": "
            "\"quarq::rpc::failure_tests::(anonymous namespace)::no_space\", \"message\": \"no space on "
            "device\"}]}");
}

TEST(rpc_failure, has_the_code_that_a_handler_chose) {
  const auto f = failure_of_a(call_error(code::not_found, "there is no user 7"));
  EXPECT_EQ(answer_with(f).status, 404);
  EXPECT_EQ(failure_of_a(http::problem(403, "no")).code, code::permission_denied);
  EXPECT_EQ(failure_of_a(timed_out("late")).code, code::deadline_exceeded);
  EXPECT_EQ(failure_of_a(cancelled("by hand")).code, code::canceled);
  const auto later = answer_with(failure_of_a(retry_after(1500ms)));
  EXPECT_EQ(later.status, 503);
  EXPECT_EQ(later.headers["Retry-After"], "2");
}

TEST(rpc_failure, tells_which_argument_is_wrong) {
  const quarq::detail::bad_payload e(
      "crawl: argument 2 (options): field to[2].name: expected string, got nil");
  const auto answer = answer_with(failure_of_a(e));
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.headers[started_field], "false");
  EXPECT_EQ(answer.body,
            "{\"code\": \"invalid_argument\", \"message\": \"crawl: argument 2 (options): field to[2].name: "
            "expected string, got nil\", \"details\": [{\"kind\": \"string_type\", \"path\": [\"options\", "
            "\"to\", 2, \"name\"], \"message\": \"expected string, got nil\"}]}");
}

TEST(rpc_failure, has_a_status_of_its_own_for_what_is_no_json) {
  const auto answer = answer_with(failure_of_a(syntax_error("JSON, line 1, column 9: syntax error")));
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("\"kind\": \"json_invalid\""), std::string::npos);
}

TEST(rpc_failure, travels) {
  for (const auto& thrown :
       {std::make_exception_ptr(no_space("full")), std::make_exception_ptr(timed_out("late")),
        std::make_exception_ptr(call_error(code::aborted, "again")),
        std::make_exception_ptr(worker_lost("killed by signal 9"))}) {
    const auto sent = failure_of(thrown, "crawl");
    const auto got = read_failure(answer_with(sent));
    EXPECT_EQ(got.code, sent.code);
    EXPECT_EQ(got.type, sent.type);
    EXPECT_EQ(got.message, sent.message);
    EXPECT_TRUE(got.started);
  }
  EXPECT_THROW(std::rethrow_exception(to_exception(failure_of_a(timed_out("late")))), timed_out);
  EXPECT_THROW(std::rethrow_exception(to_exception(failure_of_a(worker_lost("9")))), worker_lost);
  EXPECT_THROW(std::rethrow_exception(to_exception(failure_of_a(cancelled("x")))), cancelled);
  EXPECT_THROW(std::rethrow_exception(to_exception(failure_of_a(no_space("x")))), call_failed);
}

TEST(rpc_failure, is_read_from_servers_that_are_not_ours) {
  const auto busy = read_failure(http::answer_of(http::problem(503, "too many requests are being handled")));
  EXPECT_EQ(busy.code, code::unavailable);
  EXPECT_FALSE(busy.started);
  const auto proxy = read_failure(http::response(502, "<html>Bad Gateway</html>", "text/html"));
  EXPECT_EQ(proxy.code, code::unavailable);
  EXPECT_TRUE(proxy.started);
  EXPECT_EQ(proxy.message, "status 502: <html>Bad Gateway</html>");
}

TEST(rpc_input_errors, have_a_kind_and_a_path) {
  const auto only = [](const char* what) { return input_errors_of(decode_error(what), "crawl").at(0); };
  auto one = only("crawl: argument 1 (url): expected string, got integer");
  EXPECT_EQ(one.kind, "string_type");
  EXPECT_EQ(std::get<std::string>(one.path.at(0)), "url");
  EXPECT_EQ(one.message, "expected string, got integer");
  one = only("crawl: argument 3: expected integer, got nil");
  EXPECT_EQ(one.kind, "int_type");
  EXPECT_EQ(std::get<std::int64_t>(one.path.at(0)), 2);
  one = only("crawl: argument 2 (depth) is missing");
  EXPECT_EQ(one.kind, "missing");
  EXPECT_EQ(std::get<std::string>(one.path.at(0)), "depth");
  EXPECT_EQ(one.message, "is missing");
  one = only("crawl: expected 2 arguments, got 3");
  EXPECT_EQ(one.kind, "arguments_type");
  EXPECT_TRUE(one.path.empty());
  one = only("crawl: there is no parameter \"deep\"; it has url, depth");
  EXPECT_EQ(one.kind, "unexpected_keyword_argument");
  EXPECT_EQ(only("nonsense").kind, "value_error");
}

}  // namespace
}  // namespace quarq::rpc::failure_tests
