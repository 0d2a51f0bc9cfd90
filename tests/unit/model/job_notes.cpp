#include "model/job_notes.hpp"

#include <gtest/gtest.h>

#include <quarq/errors.hpp>

#include "codecs/utf8.hpp"
#include "model/record.hpp"

namespace quarq::test::job_notes_tests {
namespace {

using model::job_notes;

job_notes said(int attempt, std::vector<std::string> texts) {
  job_notes notes;
  notes.attempt = attempt;
  for (auto& text : texts) notes.add({1'000 + attempt, attempt, std::move(text)});
  return notes;
}

std::vector<std::string> texts_of(const job_notes& notes) {
  std::vector<std::string> all;
  for (const auto& line : notes.lines) all.push_back(line.text);
  return all;
}

using texts = std::vector<std::string>;

TEST(job_notes, come_back_as_they_were) {
  auto notes = said(2, {"one", std::string("\0\xff", 2)});
  notes.enqueued_ms = 77;
  notes.cut = 5;
  notes.how_far = job_notes::progress{3, 40};
  const auto back = model::decode_notes(model::encode(notes));
  EXPECT_EQ(texts_of(back), texts_of(notes));
  EXPECT_EQ(back.lines.front().at_ms, 1'002);
  EXPECT_EQ(back.lines.front().attempt, 2);
  EXPECT_EQ(back.attempt, 2);
  EXPECT_EQ(back.enqueued_ms, 77);
  EXPECT_EQ(back.cut, 5u);
  ASSERT_TRUE(back.how_far);
  EXPECT_EQ(back.how_far->done, 3u);
  EXPECT_EQ(back.how_far->total, 40u);
}

TEST(job_notes, keep_the_newest_lines_and_count_the_others) {
  job_notes notes;
  for (int i = 0; i < 1'000; ++i) notes.add({0, 1, std::to_string(i)});
  EXPECT_EQ(notes.lines.size(), model::max_log_lines);
  EXPECT_EQ(notes.lines.back().text, "999");
  EXPECT_EQ(notes.cut, 1'000 - model::max_log_lines);
}

TEST(job_notes, keep_no_more_bytes_than_they_may) {
  job_notes notes;
  for (int i = 0; i < 50; ++i) notes.add({0, 1, std::string(1'000, 'x')});
  std::size_t bytes = 0;
  for (const auto& line : notes.lines) bytes += line.text.size();
  EXPECT_LE(bytes, model::max_log_bytes);
  EXPECT_GT(bytes, model::max_log_bytes - 1'000);
  EXPECT_EQ(notes.lines.size() + notes.cut, 50u);
}

TEST(job_notes, cut_a_long_line_between_characters) {
  job_notes notes;
  std::string text;
  while (text.size() < 3 * model::max_log_line) text += "\xc3\xa4";
  notes.add({0, 1, text});
  const auto& kept = notes.lines.front().text;
  EXPECT_LE(kept.size(), model::max_log_line);
  EXPECT_GT(kept.size(), model::max_log_line - 4);
  EXPECT_TRUE(kept.ends_with(codecs::ellipsis));
  EXPECT_TRUE(codecs::is_utf8(kept));
}

TEST(job_notes, of_a_later_attempt_follow_those_of_the_outcome) {
  const auto first = model::encode(said(1, {"a"})), second = model::encode(said(2, {"b"}));
  EXPECT_EQ(texts_of(model::notes_of(first, second, 0)), (texts{"a", "b"}));
  EXPECT_EQ(texts_of(model::notes_of(second, first, 0)), texts{"b"}) << "the outcome has them";
  EXPECT_EQ(texts_of(model::notes_of(first, first, 0)), texts{"a"});
  EXPECT_EQ(texts_of(model::notes_of({}, second, 0)), texts{"b"});
  EXPECT_EQ(texts_of(model::notes_of(first, {}, 0)), texts{"a"});
  EXPECT_TRUE(model::notes_of({}, {}, 0).empty());
}

TEST(job_notes, of_another_job_with_the_same_id_are_left_out) {
  auto old = said(1, {"old"});
  old.enqueued_ms = 5;
  EXPECT_TRUE(model::notes_of({}, model::encode(old), 6).empty());
  EXPECT_EQ(texts_of(model::notes_of({}, model::encode(old), 5)), texts{"old"});
}

TEST(job_notes, what_cannot_be_read_is_left_out) {
  const auto good = model::encode(said(2, {"b"}));
  EXPECT_EQ(texts_of(model::notes_of("\xc1", good, 0)), texts{"b"});
  EXPECT_EQ(texts_of(model::notes_of(good, "no notes", 0)), texts{"b"});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW(model::decode_notes(good.substr(0, size)), decode_error) << size;
}

TEST(job_notes, travel_in_the_outcome_and_to_the_next_attempt) {
  model::outcome o;
  o.task = "work";
  o.attempts = 1;
  o.notes = model::encode(said(1, {"a"}));
  const auto back = model::decode_outcome(model::encode(o));
  EXPECT_EQ(back.notes, o.notes);
  model::outcome next;
  model::add_earlier_attempts(next, model::encode(o));
  EXPECT_EQ(next.notes, o.notes);
  o.notes.clear();
  EXPECT_EQ(model::encode(o).find("notes"), std::string::npos) << "a job that says nothing pays nothing";
}

}  // namespace
}  // namespace quarq::test::job_notes_tests
