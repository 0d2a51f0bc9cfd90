#include "http/server/event_writer.hpp"

#include <string>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>

namespace quarq::http {
namespace {

TEST(http_event_writer, events_are_lines) {
  EXPECT_EQ(format_event("a", "", ""), "data: a\n\n");
  EXPECT_EQ(format_event("a\nb\r\nc\rd", "t", "7"),
            "event: t\nid: 7\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(format_event("a\n", "", ""), "data: a\ndata: \n\n");
  EXPECT_EQ(format_event("", "", ""), "data: \n\n");
}

TEST(http_event_writer, what_could_be_read_as_another_event_is_refused) {
  for (const std::string& bad : {std::string("a\nb"), std::string("a\r"), std::string("a\0b", 3)}) {
    EXPECT_THROW(format_event("", bad, ""), usage_error);
    EXPECT_THROW(format_event("", "", bad), usage_error);
  }
  EXPECT_EQ(format_event("x\n\ndata: y", "", ""), "data: x\ndata: \ndata: data: y\n\n");
}

}  // namespace
}  // namespace quarq::http
