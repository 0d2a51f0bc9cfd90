// The parsers against tables of messages: whole, byte by byte, and in parts of random sizes.
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/message/parser.hpp"
#include "support/http_table.hpp"

namespace quarq::http {
namespace {

// Everything that a parser said of some bytes.
struct reading {
  std::size_t messages = 0;
  bool failed = false;
  std::string what;        // of the failure
  std::string transcript;  // start lines, fields, bodies
};

std::string start_of(const request_parser& p) {
  return std::string(p.method()) + ' ' + std::string(p.target());
}
std::string start_of(const response_parser& p) {
  return std::to_string(p.status()) + ' ' + std::string(p.reason());
}
bool ends_http(const request_parser& p) {
  return !p.keeps_alive() || p.method() == "CONNECT" || p.asks_for_upgrade();
}
bool ends_http(const response_parser& p) {
  return !p.keeps_alive() || p.status() == 101;
}

template <class Parser>
class reader {
 public:
  explicit reader(Parser& parser) : parser_(parser) {}

  void feed(std::string_view bytes) {
    waiting_ += bytes;
    std::size_t at = 0;
    while (!over_ && !result.failed) {
      const auto step = parser_.feed(std::string_view(waiting_).substr(at));
      at += step.used;
      if (step.event == parse_event::needs_more) break;
      take(step);
    }
    waiting_.erase(0, at);
  }

  reading result;

 private:
  void take(const parse_step& step) {
    switch (step.event) {
      case parse_event::header:
        result.transcript += start_of(parser_) + '\n';
        for (const auto& f : parser_.headers())
          result.transcript += std::string(f.name) + '=' + std::string(f.value) + '\n';
        break;
      case parse_event::body:
        result.transcript += step.data;
        break;
      case parse_event::end:
        ++result.messages;
        result.transcript += "<end>\n";
        over_ = ends_http(parser_);
        parser_.reset();
        break;
      case parse_event::failed:
        result.failed = true;
        result.what = parser_.error().what;
        break;
      case parse_event::needs_more:
        break;
    }
  }

  Parser& parser_;
  std::string waiting_;
  bool over_ = false;
};

template <class Parser>
reading read_in_parts(Parser parser, std::string_view bytes, const std::function<std::size_t()>& size) {
  reader<Parser> r(parser);
  for (std::size_t at = 0; at < bytes.size();) {
    const auto part = bytes.substr(at, size());
    r.feed(part);
    at += part.size();
  }
  return r.result;
}

request_parser fresh(const request_parser*) {
  return request_parser();
}
response_parser fresh(const response_parser*) {
  return response_parser("GET");
}

// Columns: id, accept or refuse, how many messages are whole, bytes, and why the verdict is not llhttp's.
template <class Parser>
void check_table(const char* name) {
  std::mt19937 random(7);
  const auto made = [] { return fresh(static_cast<const Parser*>(nullptr)); };
  for (const auto& row : test::read_table(name)) {
    SCOPED_TRACE(row.at(0));
    const auto bytes = test::unescaped(row.at(3));
    const auto whole = read_in_parts(made(), bytes, [] { return std::string::npos; });
    EXPECT_EQ(whole.failed ? "refuse" : "accept", row.at(1)) << whole.what << '\n' << whole.transcript;
    EXPECT_EQ(std::to_string(whole.messages), row.at(2)) << whole.what << '\n' << whole.transcript;
    const auto single = read_in_parts(made(), bytes, [] { return std::size_t{1}; });
    EXPECT_EQ(single.failed, whole.failed);
    EXPECT_EQ(single.messages, whole.messages);
    EXPECT_EQ(single.transcript, whole.transcript);
    for (int i = 0; i < 10; ++i) {
      const auto split = read_in_parts(
          made(), bytes, [&] { return std::uniform_int_distribution<std::size_t>(1, 40)(random); });
      EXPECT_EQ(split.failed, whole.failed);
      EXPECT_EQ(split.transcript, whole.transcript);
    }
  }
}

TEST(http_message_tables, requests_are_judged_as_llhttp_does) {
  check_table<request_parser>("requests.tsv");
}

TEST(http_message_tables, responses_are_judged_as_llhttp_does) {
  check_table<response_parser>("responses.tsv");
}

// Each one has a reason, in its row.
TEST(http_message_tables, few_are_judged_otherwise) {
  std::size_t others = 0;
  for (const auto* name : {"requests.tsv", "responses.tsv"}) {
    for (const auto& row : test::read_table(name)) others += row.size() > 4 ? 1 : 0;
  }
  EXPECT_LE(others, 10U);
}

// Whatever may be answered with a success only after reading, must be readable; what may not, must be refused.
TEST(http_message_tables, probes_are_read_alike_in_all_splits) {
  std::mt19937 random(7);
  for (const auto& row : test::read_table("probe.tsv")) {
    SCOPED_TRACE(row.at(0));
    const auto bytes = test::unescaped(row.at(4));
    const auto whole = read_in_parts(request_parser(), bytes, [] { return std::string::npos; });
    EXPECT_LE(whole.messages, static_cast<std::size_t>(std::stoi(row.at(3)))) << whole.transcript;
    const auto single = read_in_parts(request_parser(), bytes, [] { return std::size_t{1}; });
    EXPECT_EQ(single.failed, whole.failed);
    EXPECT_EQ(single.messages, whole.messages);
  }
}

}  // namespace
}  // namespace quarq::http
