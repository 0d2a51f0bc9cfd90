// Names, signatures and what calling them makes.
#include <string>

#include <gtest/gtest.h>

#include <quarq/task.hpp>

#include "codecs/json.hpp"

namespace quarq {
namespace {

constexpr task<int(std::string url, int depth)> crawl_site{"crawl_site", "url", "depth"};
constexpr task<void()> tick{"tick"};

TEST(task, called_with_its_arguments_is_a_call_that_holds_them_encoded) {
  const auto c = crawl_site("http://127.0.0.1/", 3);
  EXPECT_EQ(c.task(), "crawl_site");
  EXPECT_EQ(codecs::to_json(c.arguments()), R"(["http://127.0.0.1/", 3])");
  EXPECT_EQ(codecs::to_json(tick().arguments()), "[]");
}

TEST(task, knows_its_parameters_names_if_it_was_told) {
  ASSERT_EQ(crawl_site.parameters().size(), 2u);
  EXPECT_EQ(crawl_site.parameters()[1], "depth");
  EXPECT_TRUE(tick.parameters().empty());
}

}  // namespace
}  // namespace quarq
