#include <array>
#include <string>
#include <vector>

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <quarq/errors.hpp>

#include "http/coding/content_decoder.hpp"
#include "http/coding/content_encoder.hpp"
#include "http/coding/list.hpp"

namespace quarq::http {
namespace {

std::string compressed(std::string_view text, int window) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string encoded(std::string_view text, coding which) {
  std::string out;
  content_encoder encoder(which);
  encoder.write(text, out);
  encoder.finish(out);
  return out;
}

// In pieces of `piece` bytes, with little space.
std::string decoded(const std::string& body, const std::vector<coding>& codings, std::size_t piece,
                    std::size_t space_size = 100) {
  content_decoder decoder(codings);
  std::string out;
  std::string space(space_size, '\0');
  for (std::size_t i = 0; i < body.size(); i += piece) {
    const auto bytes = body.substr(i, piece);
    decoder.feed(bytes);
    while (const auto size = decoder.read(space)) out.append(space, 0, size);
  }
  decoder.finish();
  return out;
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "line " + std::to_string(i * i) + "\n";
  return text;
}

using coding_list = std::vector<coding>;

TEST(http_coding, every_coding_in_pieces_of_any_size) {
  const auto text = sample();
  const std::vector<std::pair<std::string, coding_list>> bodies{
      {compressed(text, 15 + 16), {coding::gzip}},
      {compressed(text, 15), {coding::deflate}},
      {compressed(text, -15), {coding::deflate}},
      {encoded(text, coding::gzip), {coding::gzip}},
      {encoded(text, coding::brotli), {coding::brotli}},
      {encoded(encoded(text, coding::gzip), coding::brotli), {coding::gzip, coding::brotli}},
      {encoded(encoded(text, coding::brotli), coding::gzip), {coding::brotli, coding::gzip}},
      {compressed(text.substr(0, 1000), 31) + compressed(text.substr(1000), 31), {coding::gzip}},
      {text, {}},
  };
  for (std::size_t which = 0; which < bodies.size(); ++which)
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{4096}, std::size_t{1} << 20})
      EXPECT_TRUE(decoded(bodies[which].first, bodies[which].second, piece) == text)
          << which << ", " << piece;
}

TEST(http_coding, an_empty_body_is_one) {
  for (const auto which : {coding::gzip, coding::deflate, coding::brotli})
    EXPECT_EQ(decoded("", {which}, 1), "");
  EXPECT_EQ(decoded(encoded("", coding::gzip), {coding::gzip}, 1), "");
  EXPECT_EQ(decoded(encoded("", coding::brotli), {coding::brotli}, 1), "");
  EXPECT_EQ(decoded(compressed("", -15), {coding::deflate}, 1), "");
}

std::string coding_failure(const std::string& body, coding which) {
  try {
    decoded(body, {which}, 16);
  } catch (const decode_error& e) {
    return e.what();
  }
  return "no error";
}

TEST(http_coding, a_body_that_is_cut_off_is_an_error) {
  const auto text = sample();
  for (const auto which : {coding::gzip, coding::brotli}) {
    const auto whole = encoded(text, which);
    for (const std::size_t size : {std::size_t{1}, whole.size() / 2, whole.size() - 1})
      EXPECT_NE(coding_failure(whole.substr(0, size), which).find("the body ends before its end"),
                std::string::npos);
  }
}

TEST(http_coding, garbage_is_an_error) {
  for (const auto which : {coding::gzip, coding::brotli, coding::deflate}) {
    EXPECT_NE(coding_failure(std::string(64, '\xff'), which), "no error");
    const auto behind = which == coding::deflate ? compressed("text", 15) : encoded("text", which);
    EXPECT_NE(coding_failure(behind + "garbage", which), "no error") << static_cast<int>(which);
  }
  auto damaged = encoded(sample(), coding::gzip);
  damaged[damaged.size() - 6] ^= 1;  // its checksum
  EXPECT_EQ(coding_failure(damaged, coding::gzip), "gzip: incorrect data check");
}

TEST(http_coding, a_bomb_costs_only_what_is_read) {
  for (const auto which : {coding::gzip, coding::brotli}) {
    std::string bomb;
    content_encoder encoder(which);
    const std::string zeros(std::size_t{1} << 20, '\0');
    for (int i = 0; i < 100; ++i) encoder.write(zeros, bomb);
    encoder.finish(bomb);
    EXPECT_LT(bomb.size(), 200'000u);
    content_decoder decoder({which});
    decoder.feed(bomb);
    std::array<char, 4096> space{};
    for (int i = 0; i < 100; ++i) EXPECT_EQ(decoder.read(space), space.size());
  }
}

TEST(http_coding, what_was_flushed_can_be_read) {
  for (const auto which : {coding::gzip, coding::brotli}) {
    content_encoder encoder(which);
    content_decoder decoder({which});
    for (const std::string text : {"first", "second", "third"}) {
      std::string bytes;
      encoder.write(text, bytes);
      encoder.flush(bytes);
      decoder.feed(bytes);
      std::string out;
      std::array<char, 3> space{};
      while (const auto size = decoder.read(space)) out.append(space.data(), size);
      EXPECT_EQ(out, text);
    }
  }
}

TEST(http_coding, the_field_names_them_in_order) {
  EXPECT_EQ(codings_of(""), coding_list{});
  EXPECT_EQ(codings_of("gzip"), coding_list{coding::gzip});
  EXPECT_EQ(codings_of("X-GZIP"), coding_list{coding::gzip});
  EXPECT_EQ(codings_of("identity"), coding_list{});
  EXPECT_EQ(codings_of("deflate , br,"), (coding_list{coding::deflate, coding::brotli}));
  EXPECT_EQ(codings_of("gzip,gzip,gzip,gzip"), coding_list(4, coding::gzip));
  EXPECT_EQ(codings_of("gzip,gzip,gzip,gzip,gzip"), std::nullopt);
  EXPECT_EQ(codings_of("zstd"), std::nullopt);
  EXPECT_EQ(codings_of("gzip, zstd"), std::nullopt);
}

TEST(http_coding, the_peers_choice_counts) {
  EXPECT_EQ(best_coding(""), std::nullopt);
  EXPECT_EQ(best_coding("gzip, deflate, br"), coding::brotli);
  EXPECT_EQ(best_coding("gzip"), coding::gzip);
  EXPECT_EQ(best_coding("gzip;q=1.0, br;q=0.5"), coding::gzip);
  EXPECT_EQ(best_coding("gzip;q=0.333, br;q=0.334"), coding::brotli);
  EXPECT_EQ(best_coding("gzip;q=0, br;q=0"), std::nullopt);
  EXPECT_EQ(best_coding("gzip; q=0"), std::nullopt);
  EXPECT_EQ(best_coding("*"), coding::brotli);
  EXPECT_EQ(best_coding("*, br;q=0"), coding::gzip);
  EXPECT_EQ(best_coding("*;q=0"), std::nullopt);
  EXPECT_EQ(best_coding("identity"), std::nullopt);
  EXPECT_EQ(best_coding("deflate"), std::nullopt);
}

TEST(http_list, is_taken_apart) {
  using views = std::vector<std::string_view>;
  EXPECT_EQ(list_elements(""), views{});
  EXPECT_EQ(list_elements(" a ,\tb\t,, c"), (views{"a", "b", "c"}));
  EXPECT_EQ(list_elements("a=\"x,y\", b"), (views{"a=\"x,y\"", "b"}));
  EXPECT_EQ(list_elements("a=\"x\\\",y\", b"), (views{"a=\"x\\\",y\"", "b"}));
  EXPECT_EQ(list_elements("\"unended, b"), (views{"\"unended, b"}));
  EXPECT_EQ(list_elements("\"x\\"), (views{"\"x\\"}));
}

}  // namespace
}  // namespace quarq::http
