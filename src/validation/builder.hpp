// Builds a value from the events of a parser, checking it on the way. The heart of the models: it knows types as tables
// only, and no kind of input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container/small_vector.hpp>

#include <quarq/detail/model_type.hpp>

#include "validation/error_list.hpp"
#include "validation/tape.hpp"
#include "validation/value_checks.hpp"

namespace quarq::validation {

/// Events come in the order of the document and nest rightly, as a parser guarantees; each returns false once nothing
/// more is wanted, because there are too many errors. `target` is of that type, as its constructor left it.
class builder final : path_source {
 public:
  builder(const type& what, void* target, bool lax);
  ~builder();
  builder(const builder&) = delete;
  builder& operator=(const builder&) = delete;

  bool begin_object();
  bool key(std::string_view name);
  bool end_object();
  bool begin_array();
  bool end_array();
  bool text(std::string_view value);
  bool integer(std::int64_t value);
  bool unsigned_integer(std::uint64_t value);
  /// `digits`: as they stood; empty if they are not known. "1e400" is an infinity here.
  bool real(double value, std::string_view digits);
  bool boolean(bool value);
  bool null();
  /// What msgpack has besides: bytes, and values that only codecs know (timestamps, extensions).
  bool binary(std::string_view value);
  bool raw(std::string_view encoded);

  /// In place of the value of a member, which can't be read.
  bool refuse_text(error_kind kind, std::string_view why) {
    errors_.add(kind, why);
    frames_.back().current = nullptr;
    return text({});
  }

  /// The document ends in the middle: what is said of it then has no path.
  void give_up();

  error_list& errors() noexcept { return errors_; }
  std::vector<path_step> path() const override;

 private:
  /// Where a value goes. Without a type it goes nowhere.
  struct slot {
    const type* what = nullptr;
    void* target = nullptr;
    asked_rules asked;
    bool is_secret = false;
  };

  struct frame {
    enum class state : unsigned char {
      object,
      list,
      set,
      tuple,
      map,
      bytes_object,
      tag_wanted,
      tag_value,
      skip
    };
    state in = state::skip;
    bool is_secret = false;
    /// Of an object: what counts as a key, and is not a member.
    std::string_view tag = {};
    const type* what = nullptr;
    void* target = nullptr;
    asked_rules asked;
    std::size_t index = 0;            ///< of the element, or the member; of skip: how many are open
    const member* current = nullptr;  ///< the member whose value comes next; null: none
    void* pending = nullptr;          ///< a set's element, or the place of a map's value
    std::size_t seen_begin = 0;       ///< where the marks of this object's members begin
    std::size_t seen_count = 0;
    std::size_t errors_before = 0;
  };

  slot next_slot();
  /// Goes through optionals, secrets and untagged variants. False: the value is done, or refused.
  bool resolve(slot& s, unsigned json) {
    const kind what = s.what->what;
    const bool is_wrapped = what == kind::optional || what == kind::secret || what == kind::variant;
    return !is_wrapped || resolve_wrapped(s, json);
  }
  bool resolve_wrapped(slot& s, unsigned json);
  bool resolve_variant(slot& s, unsigned json);
  bool is_lax(const slot& s) const noexcept { return (lax_ || s.asked.own->lax) && !s.asked.own->strict; }
  bool done() noexcept { return !errors_.is_full(); }
  /// The value in this slot is complete, or given up.
  bool finish(const slot& s, std::size_t errors_before) {
    const bool in_set = !frames_.empty() && frames_.back().in == frame::state::set;
    const bool has_checks = s.asked.own->check_count > 0 || s.asked.of_variant != nullptr;
    return has_checks || in_set ? finish_checked(s, errors_before) : done();
  }
  bool finish_checked(const slot& s, std::size_t errors_before);
  void finish_pending(bool is_right);
  bool refuse(const type& what);
  void add_type_error(const type& what);

  bool begin_container(bool is_object);
  void open_object(const slot& s, const object_type& what, std::string_view tag);
  void open(frame::state in, const slot& s);
  bool end_container();
  void end_members(const frame& f);
  bool key_of_object(frame& f, std::string_view name);
  bool key_of_map(frame& f, std::string_view name);
  bool key_of_tagged(frame& f, std::string_view name);
  void choose_alternative(slot s, std::string_view tag);
  void skip_value();

  bool put_integer(wide_integer value);
  bool put_number(slot& s, wide_integer value);
  bool put_text(slot& s, std::string_view value);
  bool put_named(const slot& s, std::string_view name);
  template <class Write>
  bool put_coded_as(const slot& s, Write write) {
    std::string encoded;
    encoder out(encoded);
    write(out);
    return put_coded(s, encoded);
  }
  bool put_real(slot& s, double value);
  bool convert(slot& s, std::string_view text);
  bool put_coded(const slot& s, std::string_view encoded);
  bool put_bytes(const slot& s, std::string_view value);

  bool is_recording() const noexcept { return recording_ != nullptr; }
  void record(const slot& s);
  bool skips() noexcept { return !frames_.empty() && frames_.back().in == frame::state::skip; }
  bool finish_recording();

  slot root_;
  bool lax_;
  // Small documents need no memory but their values'.
  boost::container::small_vector<frame, 6> frames_;
  std::vector<std::string> keys_;                          ///< those of the maps in frames_
  boost::container::small_vector<std::uint8_t, 64> seen_;  ///< the marks of the objects in frames_
  std::unique_ptr<tape> recording_;                        ///< what is read before it is known what it is
  slot recorded_for_;
  bool use_recorded_slot_ = false;
  const tape* replayed_ = nullptr;
  std::size_t replay_position_ = 0;
  std::optional<std::string> extra_key_;  ///< of an object, while it is complained about
  error_list errors_;
};

}  // namespace quarq::validation
