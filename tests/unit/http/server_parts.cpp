// What a server decides, without sockets.
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <quarq/errors.hpp>

#include "http/server/conditions.hpp"
#include "http/server/deadline_wheel.hpp"
#include "http/server/reply.hpp"
#include "http/server/router.hpp"
#include "http/server/target.hpp"

namespace quarq::http {
namespace {

// ---- targets

TEST(http_target, is_split_into_path_and_query) {
  const auto check = [](std::string_view target, std::string_view path, std::string_view query) {
    EXPECT_EQ(split(target).path, path) << target;
    EXPECT_EQ(split(target).query, query) << target;
  };
  check("/a?b=c?d", "/a", "b=c?d");
  check("/", "/", "");
  check("*", "*", "");
  check("http://h:80/a?b", "/a", "b");
  check("http://h?b", "/", "b");
  check("http://h", "/", "");
  check("//a", "//a", "");
}

TEST(http_target, paths_are_decoded_or_refused) {
  std::string path;
  EXPECT_TRUE(decode_path("/a%20b/%C3%A4/..c/.d", path));
  EXPECT_EQ(path, "/a b/\xc3\xa4/..c/.d");
  for (const char* wrong : {"/%", "/%2", "/%zz", "/%00", "/%0a", "/%7f", "/a\\b", "/%5c", "/%c0%af", "/%ff",
                            "/..", "/a/../b", "/.", "/./a", "/%2e%2e/", "/a/%2e"}) {
    EXPECT_FALSE(decode_path(wrong, path)) << wrong;
  }
}

TEST(http_target, query_values_are_decoded) {
  EXPECT_EQ(query_values("a=1&b=x+y&a=%41&c", "a", 9), (std::vector<std::string>{"1", "A"}));
  EXPECT_EQ(query_values("a=1&b=x+y", "b", 9), (std::vector<std::string>{"x y"}));
  EXPECT_EQ(query_values("a=1&&c", "c", 9), (std::vector<std::string>{""}));
  EXPECT_EQ(query_values("a=1&a=2", "a", 1).size(), 1u);
  EXPECT_THROW(query_values("a=%", "a", 9), problem);
}

// ---- routes

detail::route route_of(std::string method, std::string pattern) {
  return {std::move(method), std::move(pattern), {}, {}, {}};
}

class http_router : public testing::Test {
 protected:
  std::string found(std::string_view method, std::string_view raw) {
    std::string path;
    EXPECT_TRUE(decode_path(raw, path));
    const auto m = routes.find(method, raw, path, parameters);
    return m.found ? m.found->method + ' ' + m.found->pattern : m.allow;
  }
  router routes;
  std::vector<std::string> parameters;
};

TEST_F(http_router, literal_segments_go_before_parameters) {
  for (const char* pattern : {"/a/{x}/c", "/a/b/{y}", "/{z}/b/c", "/a/{x}"})
    routes.add(route_of("GET", pattern));
  routes.add(route_of("GET", "/a/b/c"));
  EXPECT_EQ(found("GET", "/a/b/c"), "GET /a/b/c");
  EXPECT_EQ(found("GET", "/a/b/d"), "GET /a/b/{y}");
  EXPECT_EQ(found("GET", "/a/d/c"), "GET /a/{x}/c");
  EXPECT_EQ(found("GET", "/d/b/c"), "GET /{z}/b/c");
  EXPECT_EQ(parameters, std::vector<std::string>{"d"});
  EXPECT_EQ(found("GET", "/d/e/c"), "");
  EXPECT_EQ(found("GET", "/a/"), "");
  EXPECT_EQ(found("GET", "/a/b/"), "");
}

TEST_F(http_router, escaped_slashes_do_not_separate) {
  routes.add(route_of("GET", "/a/b"));
  routes.add(route_of("GET", "/{x}"));
  EXPECT_EQ(found("GET", "/a%2Fb"), "GET /{x}");
  EXPECT_EQ(parameters, std::vector<std::string>{"a/b"});
}

TEST_F(http_router, knows_which_methods_there_are) {
  routes.add(route_of("GET", "/a"));
  routes.add(route_of("POST", "/a"));
  EXPECT_EQ(found("HEAD", "/a"), "GET /a");
  EXPECT_EQ(found("PUT", "/a"), "GET, HEAD, POST, OPTIONS");
  EXPECT_THROW(routes.add(route_of("GET", "/a")), usage_error);
  EXPECT_THROW(routes.add(route_of("G T", "/b")), usage_error);
}

TEST_F(http_router, longer_prefixes_go_first) {
  routes.add_prefix("/s", route_of("GET", "/s"));
  routes.add_prefix("/s/t/", route_of("GET", "/s/t"));
  routes.add(route_of("GET", "/s/x"));
  EXPECT_EQ(found("GET", "/s/a/b"), "GET /s");
  EXPECT_EQ(found("GET", "/s/t/b"), "GET /s/t");
  EXPECT_EQ(found("GET", "/s/x"), "GET /s/x");
  EXPECT_EQ(found("GET", "/s"), "GET /s");
  EXPECT_EQ(found("GET", "/sa"), "");
}

// ---- answers

std::string header_of(const response& r, reply_facts facts, reply_plan* plan = nullptr) {
  std::string out;
  const auto made = append_reply_header(out, r, facts);
  if (plan) *plan = made;
  return out;
}

TEST(http_reply, framing_is_the_servers) {
  response r(200, "abc");
  r.headers = {{"Content-Length", "7"}, {"Transfer-Encoding", "chunked"}, {"Date", "x"}, {"X", "y"}};
  reply_facts facts;
  facts.date = "Date: now\r\n";
  EXPECT_EQ(header_of(r, facts), "HTTP/1.1 200 OK\r\nX: y\r\nDate: now\r\nContent-Length: 3\r\n\r\n");
  facts.keep_alive = false;
  EXPECT_EQ(header_of(r, facts),
            "HTTP/1.1 200 OK\r\nX: y\r\nDate: now\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
  facts.keep_alive = true;
  facts.minor_version = 0;
  EXPECT_NE(header_of(r, facts).find("Connection: keep-alive\r\n"), std::string::npos);
}

TEST(http_reply, some_answers_have_no_body) {
  reply_plan plan;
  for (const int status : {204, 304}) {
    EXPECT_EQ(header_of(response(status, "abc"), {}, &plan).find("Content-Length"), std::string::npos);
    EXPECT_EQ(plan.framing, body_framing::none);
  }
  reply_facts head;
  head.is_head = true;
  EXPECT_NE(header_of(response(200, "abc"), head, &plan).find("Content-Length: 3"), std::string::npos);
  EXPECT_EQ(plan.framing, body_framing::none);
  EXPECT_THROW(header_of(response(101), {}), usage_error);
  EXPECT_THROW(header_of(response(1000), {}), usage_error);
}

TEST(http_reply, a_written_body_is_framed_as_the_client_can_read_it) {
  response r;
  r.write_body = [](body_writer&) -> awaitable<void> { co_return; };
  reply_plan plan;
  EXPECT_NE(header_of(r, {}, &plan).find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_EQ(plan.framing, body_framing::chunked);
  reply_facts old;
  old.minor_version = 0;
  header_of(r, old, &plan);
  EXPECT_EQ(plan.framing, body_framing::until_close);
  EXPECT_FALSE(plan.keep_alive);
  r.headers.set("Content-Length", "5");
  header_of(r, old, &plan);
  EXPECT_EQ(plan.framing, body_framing::sized);
  EXPECT_EQ(plan.length, 5u);
  r.headers.set("Content-Length", "x");
  EXPECT_THROW(header_of(r, {}), usage_error);
}

TEST(http_reply, the_date_follows_a_clock_that_jumps) {
  date_line date;
  EXPECT_EQ(date.at(784111777), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(date.at(784111778), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
  EXPECT_EQ(date.at(1893456000), "Date: Tue, 01 Jan 2030 00:00:00 GMT\r\n");
  EXPECT_EQ(date.at(784111777), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

TEST(http_reply, dates) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  for (const char* wrong : {"Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:77 GMT",
                            "Sun, 06 Nov 1994 08:49:37 UTC", "yesterday", ""}) {
    EXPECT_EQ(parse_http_date(wrong), std::nullopt) << wrong;
  }
}

// ---- conditions and ranges

constexpr representation hundred{"\"a\"", 784111777, 100};

int status_of(std::string_view name, std::string_view value) {
  return select("GET", {{name, value}}, hundred).status;
}

TEST(http_conditions, entity_tags) {
  EXPECT_EQ(status_of("If-None-Match", "\"a\""), 304);
  EXPECT_EQ(status_of("If-None-Match", "W/\"a\""), 304);
  EXPECT_EQ(status_of("If-None-Match", "\"b\", \"x,y\" , \"a\""), 304);
  EXPECT_EQ(status_of("If-None-Match", "*"), 304);
  EXPECT_EQ(status_of("If-None-Match", "a"), 200);
  EXPECT_EQ(status_of("If-None-Match", "\"b\""), 200);
  EXPECT_EQ(status_of("If-Match", "\"a\""), 200);
  EXPECT_EQ(status_of("If-Match", "W/\"a\""), 412);
  EXPECT_EQ(status_of("If-Match", "\"b\""), 412);
}

TEST(http_conditions, dates) {
  EXPECT_EQ(status_of("If-Modified-Since", http_date(784111777)), 304);
  EXPECT_EQ(status_of("If-Modified-Since", http_date(784111776)), 200);
  EXPECT_EQ(status_of("If-Modified-Since", "soon"), 200);
  EXPECT_EQ(status_of("If-Unmodified-Since", http_date(784111776)), 412);
  // A tag goes before a date.
  EXPECT_EQ(select("GET", {{"If-None-Match", "\"b\""}, {"If-Modified-Since", http_date(784111777)}}, hundred)
                .status,
            200);
}

TEST(http_conditions, one_range_is_served) {
  const auto range = [](std::string_view text) { return select("GET", {{"Range", text}}, hundred); };
  EXPECT_EQ(range("bytes=0-9").range, (byte_range{0, 10}));
  EXPECT_EQ(range("bytes=90-").range, (byte_range{90, 10}));
  EXPECT_EQ(range("bytes=-10").range, (byte_range{90, 10}));
  EXPECT_EQ(range("bytes=-1000").range, (byte_range{0, 100}));
  EXPECT_EQ(range("bytes=99-1000").range, (byte_range{99, 1}));
  EXPECT_EQ(range("bytes=0-9").status, 206);
  for (const char* none : {"bytes=100-", "bytes=-0"}) EXPECT_EQ(range(none).status, 416) << none;
  for (const char* ignored :
       {"bytes=", "bytes=a-b", "bytes=9-0", "lines=0-9", "bytes=0-9,20-29", "bytes=-", "bytes=1"}) {
    EXPECT_EQ(range(ignored).status, 200) << ignored;
  }
  EXPECT_EQ(range("bytes=0-9,5-14").status, 416);
  EXPECT_EQ(range("bytes=0-,0-,0-").status, 416);
  EXPECT_EQ(range("bytes=0-1,2-3,4-5,6-7,8-9,10-11,12-13,14-15,16-17").status, 416);
  EXPECT_EQ(select("HEAD", {{"Range", "bytes=0-9"}}, hundred).status, 200);
  EXPECT_EQ(select("GET", {{"Range", "bytes=0-9"}, {"If-Range", "\"a\""}}, hundred).status, 206);
  EXPECT_EQ(select("GET", {{"Range", "bytes=0-9"}, {"If-Range", "\"b\""}}, hundred).status, 200);
  EXPECT_EQ(select("GET", {{"Range", "bytes=0-9"}, {"If-Range", http_date(1)}}, hundred).status, 200);
}

// ---- deadlines

class counted : public timed {
 public:
  int passed = 0;

 private:
  void deadline_passed() override { ++passed; }
};

TEST(http_deadline_wheel, deadlines_pass_once_and_not_early) {
  using namespace std::chrono_literals;
  boost::asio::io_context loop;
  deadline_wheel wheel(loop.get_executor());
  counted near;
  counted far;
  counted moved;
  wheel.set(near, 300ms);
  wheel.set(far, 100s);  // more than a turn of the wheel
  wheel.set(moved, 300ms);
  wheel.set(moved, 2s);
  wheel.advance(3);
  EXPECT_EQ(near.passed, 0);
  wheel.advance(6);
  EXPECT_EQ(near.passed, 1);
  EXPECT_EQ(moved.passed, 0);
  wheel.advance(30);
  EXPECT_EQ(moved.passed, 1);
  wheel.advance(900);
  EXPECT_EQ(far.passed, 0);
  wheel.advance(1010);
  EXPECT_EQ(far.passed, 1);
  wheel.advance(3000);
  EXPECT_EQ(near.passed + far.passed + moved.passed, 3);
}

TEST(http_deadline_wheel, what_is_cleared_or_gone_does_not_pass) {
  using namespace std::chrono_literals;
  boost::asio::io_context loop;
  deadline_wheel wheel(loop.get_executor());
  counted cleared;
  wheel.set(cleared, 100ms);
  wheel.clear(cleared);
  {
    counted gone;
    wheel.set(gone, 100ms);
  }
  wheel.advance(100);
  EXPECT_EQ(cleared.passed, 0);
  wheel.set(cleared, 100ms);
  wheel.advance(200);
  EXPECT_EQ(cleared.passed, 1);
}

}  // namespace
}  // namespace quarq::http
