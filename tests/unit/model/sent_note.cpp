#include "model/sent_note.hpp"

#include <gtest/gtest.h>

#include <quarq/detail/context_access.hpp>
#include <quarq/detail/notes_sink.hpp>
#include <quarq/errors.hpp>

#include "model/job_notes.hpp"

namespace quarq::test::sent_note_tests {
namespace {

class collected final : public quarq::detail::notes_sink {
 public:
  void log(const context&, std::string_view text) override { all.append(text).append(";"); }
  void progress(const context&, std::uint64_t done, std::uint64_t total) override {
    all += std::to_string(done) + "/" + std::to_string(total) + ";";
  }
  std::string all;
};

std::string passed_on(std::string_view note) {
  collected said;
  context to;
  model::context_access::set_notes(to, &said);
  model::pass_on(note, to);
  return said.all;
}

TEST(sent_note, says_the_same_again) {
  const auto notes = model::log_notes("one\ntwo\xff\n");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(passed_on(notes[0]), "one\ntwo\xff;");
  EXPECT_EQ(passed_on(model::progress_note(3, 0)), "3/0;");
}

TEST(sent_note, many_lines_are_several_of_them) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::string(5'000, 'x') + '\n';
  const auto notes = model::log_notes(text);
  EXPECT_GT(notes.size(), 1u);
  std::string all;
  for (const auto& note : notes) {
    EXPECT_LT(note.size(), 64u * 1024);
    all += passed_on(note);
  }
  EXPECT_EQ(all.size(), 100 * (model::max_log_line + 2));
}

TEST(sent_note, anything_else_is_refused) {
  EXPECT_THROW(passed_on("nonsense"), decode_error);
  EXPECT_THROW(passed_on("\x93\x01\x02\x03"), decode_error);
  EXPECT_THROW(passed_on(""), decode_error);
}

}  // namespace
}  // namespace quarq::test::sent_note_tests
