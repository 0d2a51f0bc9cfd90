#include "http/client/event_parser.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>

namespace quarq::http {
namespace {

// "type|data|id" of each.
std::vector<std::string> events_of(std::string_view bytes, std::size_t piece = 1000) {
  event_parser parser(1000);
  std::vector<std::string> result;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    parser.feed(bytes.substr(i, piece));
    while (const auto event = parser.next())
      result.push_back(event->type + "|" + event->data + "|" + event->id);
  }
  return result;
}

using event_list = std::vector<std::string>;

struct event_row {
  std::string bytes;
  event_list events;
};

TEST(http_event_parser, reads_as_the_html_standard_does) {
  const std::vector<event_row> rows{
      {"", {}},
      {"data: x\n\n", {"message|x|"}},
      {"data: x\r\n\r\n", {"message|x|"}},
      {"data: x\r\r", {"message|x|"}},
      {"data:x\n\n", {"message|x|"}},
      {"data:  x\n\n", {"message| x|"}},
      {"data\n\n", {"message||"}},
      {"data\ndata\n\n", {"message|\n|"}},
      {"data: YHOO\ndata: +2\ndata: 10\n\n", {"message|YHOO\n+2\n10|"}},
      {"event: add\ndata: 1\n\ndata: 2\n\n", {"add|1|", "message|2|"}},
      {"event: add\n\ndata: 2\n\n", {"message|2|"}},
      {": comment\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\n\n",
       {"message|first|1", "message|second|", "message| third|"}},
      {"id: 1\n\ndata: x\n\n", {"message|x|1"}},
      {"id: 1\ndata: x\n\ndata: y\n\n", {"message|x|1", "message|y|1"}},
      {std::string("id: 1\0\ndata: x\n\n", 16), {"message|x|"}},
      {"id: 1\ndata: x\n\nid: \x1b\ndata: y\n\n", {"message|x|1", "message|y|1"}},
      {"\xef\xbb\xbf"
       "data: x\n\n",
       {"message|x|"}},
      {"data: \xef\xbb\xbf\n\n", {"message|\xef\xbb\xbf|"}},
      {"Data: x\nunknown: y\ndata: z\n\n", {"message|z|"}},
      {"data: not complete", {}},
      {"data: not complete\n", {}},
      {"data: a:b\n\n", {"message|a:b|"}},
  };
  for (const auto& row : rows)
    for (const std::size_t piece : {1, 2, 3, 1000})
      EXPECT_EQ(events_of(row.bytes, piece), row.events) << row.bytes;
}

TEST(http_event_parser, what_is_not_complete_ends_with_the_connection) {
  event_parser parser(1000);
  parser.feed("id: 1\ndata: x\n\nid: 2\ndata: y\n");
  EXPECT_EQ(parser.next()->data, "x");
  parser.reset();
  EXPECT_EQ(parser.last_id(), "1");
  parser.feed("data: z\n\n");
  EXPECT_EQ(parser.next()->id, "1");
}

TEST(http_event_parser, the_server_may_set_the_pause) {
  using namespace std::chrono_literals;
  event_parser parser(1000);
  parser.feed("retry: x\nretry: -5\nretry: 1.5\nretry:\n");
  EXPECT_EQ(parser.retry(), std::nullopt);
  parser.feed("retry: 250\n");
  EXPECT_EQ(parser.retry(), 250ms);
  parser.feed("retry: 99999999999\n");
  EXPECT_EQ(parser.retry(), 1h);
}

TEST(http_event_parser, an_event_without_end_is_an_error) {
  for (const std::string& endless : {std::string("data: x\n"), std::string("x")}) {
    event_parser parser(1000);
    const auto feed = [&] {
      for (int i = 0; i < 2000; ++i) parser.feed(endless);
    };
    EXPECT_THROW(feed(), decode_error);
  }
}

}  // namespace
}  // namespace quarq::http
