#include "broker/arq/arq_payload.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "broker/arq/arq_errors.hpp"
#include "codec/fields.hpp"
#include "codec/pickle.hpp"

namespace quarq::broker {

using codec_detail::raw_of;

namespace {

constexpr std::string_view no_arguments = "\x90";  // msgpack: an empty array
constexpr std::string_view no_keywords = "\x80";   // and an empty map
constexpr std::string_view unknown_function = "<unknown>";
/// The last millisecond of the year 9999: beyond it Python has no datetime, and a worker of arq's dies.
constexpr std::int64_t last_moment_ms = 253'402'300'799'999;

// ---- our documents, read and written

/// Keys and values that are passed on as they are.
struct fields {
  std::string encoded;
  std::size_t count = 0;

  void clear() {
    encoded.clear();
    count = 0;
  }
  void add(std::string_view key, std::string_view value) {
    encoder out(encoded);
    out.text(key);
    out.raw(value);
    ++count;
  }
};

/// What has no text as its key is skipped: nobody looks for it.
template <class Read>
void read_map(decoder& in, Read read) {
  codec_detail::read_fields<codec_detail::other_keys::skipped>(in, std::move(read));
}

/// Arguments by name, checked to have nothing but names.
std::string_view keywords(decoder& in) {
  const std::string_view encoded = raw_of(in, value_type::map);
  decoder inner(encoded, "k");
  const std::size_t count = inner.map();
  for (std::size_t i = 0; i < count; ++i) {
    if (inner.peek() != value_type::text)
      in.fail("key " + std::to_string(i + 1) + ": expected string, got " +
              std::string(to_string(inner.peek())));
    try {
      inner.text();
    } catch (const decode_error&) {
      in.fail("key " + std::to_string(i + 1) + " is not UTF-8");
    }
    inner.skip();
  }
  return encoded;
}

/// The parts of a record that arq has too, and all others.
struct record_parts {
  std::string_view task, arguments = no_arguments, keywords = no_keywords;
  bool known = false;
};

record_parts read_record(std::string_view record, fields& others) {
  record_parts parts;
  if (record.empty()) return parts;
  decoder in(record, "job payload");
  bool unreadable = false;
  read_map(in, [&](std::string_view key) {
    if (key == "f") {
      parts.task = in.text();
    } else if (key == "a") {
      parts.arguments = raw_of(in, value_type::array);
    } else if (key == "k") {
      parts.keywords = keywords(in);
    } else if (key == "unreadable") {
      unreadable = true;
      in.skip();
    } else {
      others.add(key, in.raw());
    }
  });
  in.finish();
  parts.known = !unreadable && !parts.task.empty() && parts.task != unknown_function;
  return parts;
}

/// What both arq's results and our outcomes have.
struct end_parts {
  std::string_view task, result;
  std::int64_t tries = 0, enqueued_ms = 0, started_ms = 0, finished_ms = 0;
  std::string_view error_type, error;
};

end_parts read_outcome(std::string_view outcome, fields& others) {
  end_parts parts;
  decoder in(outcome, "job outcome");
  read_map(in, [&](std::string_view key) {
    if (key == "f") {
      parts.task = in.text();
    } else if (key == "t") {
      parts.tries = in.integer();
    } else if (key == "et") {
      parts.enqueued_ms = in.integer(0, last_moment_ms);
    } else if (key == "st") {
      parts.started_ms = in.integer(0, last_moment_ms);
    } else if (key == "ft") {
      parts.finished_ms = in.integer(0, last_moment_ms);
    } else if (key == "r") {
      parts.result = in.raw();
    } else {
      const std::string_view value = in.raw();
      if (key == "error_type") parts.error_type = decoder(value, "job outcome").text();
      if (key == "error") parts.error = decoder(value, "job outcome").binary();
      others.add(key, value);
    }
  });
  in.finish();
  return parts;
}

// ---- arq's payloads, written in either codec

/// The same few calls for both codecs.
class msgpack_document {
 public:
  msgpack_document(std::string& out, std::size_t keys) : out_(out) { out_.map(keys); }

  void key(std::string_view name) { out_.text(name); }
  void none() { out_.nil(); }
  void boolean(bool value) { out_.boolean(value); }
  void integer(std::int64_t value) { out_.integer(value); }
  void text(std::string_view value) { out_.text(value); }
  void arguments(std::string_view array) { out_.raw(array); }
  void value(std::string_view encoded) { out_.raw(encoded); }
  void map_of(const fields& what) {
    out_.map(what.count);
    out_.raw(what.encoded);
  }
  /// Exceptions can't be packed: any text makes arq's Job.result() raise SerializationError(text).
  void exception(const python_error& e) { out_.text(e.as_text()); }
  void finish() {}

 private:
  encoder out_;
};

class pickle_document {
 public:
  pickle_document(std::string& out, std::size_t) : out_(out) { out_.begin_dict(); }

  void key(std::string_view name) { out_.text(name); }
  void none() { out_.none(); }
  void boolean(bool value) { out_.boolean(value); }
  void integer(std::int64_t value) { out_.integer(value); }
  void text(std::string_view value) { out_.text(value); }
  void arguments(std::string_view array) { out_.msgpack_as_tuple(array, "arguments"); }
  void value(std::string_view encoded) { out_.msgpack(encoded, "value"); }
  void map_of(const fields& what) {
    encoder head(map_);
    head.map(what.count);
    map_ += what.encoded;
    out_.msgpack(map_, "options");
  }
  void exception(const python_error& e) { out_.exception(e.type, e.message); }
  void finish() {
    out_.end_dict();
    out_.finish();
  }

 private:
  pickle_writer out_;
  std::string map_;
};

template <class Document>
void write_job_as(std::string& out, const arq_job& job, const record_parts& parts, const fields& others) {
  Document doc(out, others.count == 0 ? 5 : 6);
  doc.key("t");
  job.job_try ? doc.integer(*job.job_try) : doc.none();
  doc.key("f");
  doc.text(parts.task);
  doc.key("a");
  doc.arguments(parts.arguments);
  doc.key("k");
  doc.value(parts.keywords);
  doc.key("et");
  doc.integer(job.enqueued_ms);
  if (others.count != 0) {
    doc.key("quarq");
    doc.map_of(others);
  }
  doc.finish();
}

/// `error` is what stands for the result; nothing if the job succeeded.
template <class Document>
void write_end_as(std::string& out, const arq_end& end, const record_parts& job, const end_parts& parts,
                  const fields& others, const std::optional<python_error>& error) {
  Document doc(out, others.count == 0 ? 11 : 12);
  doc.key("t");
  doc.integer(parts.tries);
  doc.key("f");
  doc.text(job.known ? job.task : parts.task.empty() ? unknown_function : parts.task);
  doc.key("a");
  doc.arguments(job.known ? job.arguments : no_arguments);
  doc.key("k");
  doc.value(job.known ? job.keywords : no_keywords);
  doc.key("et");
  doc.integer(parts.enqueued_ms);
  doc.key("s");
  doc.boolean(!error);
  doc.key("r");
  if (error) {
    error->type.empty() ? doc.text(error->message) : doc.exception(*error);
  } else {
    parts.result.empty() ? doc.none() : doc.value(parts.result);
  }
  doc.key("st");
  doc.integer(parts.started_ms);
  doc.key("ft");
  doc.integer(parts.finished_ms);
  doc.key("q");
  doc.text(end.queue);
  doc.key("id");
  doc.text(end.id);
  if (others.count != 0) {
    doc.key("quarq");
    doc.map_of(others);
  }
  doc.finish();
}

std::string encoded_text(std::string_view text) {
  std::string out;
  encoder(out).text(text);
  return out;
}

// ---- arq's payloads, read

/// Which codec wrote this, as far as its first bytes tell.
bool looks_like_msgpack(std::string_view payload) {
  const auto first = static_cast<unsigned char>(payload.empty() ? 0 : payload[0]);
  return (first >= 0x81 && first <= 0x8f) || first == 0xde || first == 0xdf;
}

bool looks_like_pickle(std::string_view payload) {
  if (payload.size() < 3 || payload.back() != '.') return false;
  const bool has_protocol = payload[0] == '\x80' && payload[1] >= 2 && payload[1] <= 5;
  return has_protocol || payload.starts_with("(d") || payload.starts_with("}");
}

[[noreturn]] void fail_other_codec(std::string_view what, std::string_view is, std::string_view set) {
  throw decode_error(std::string(what) + ": this is " + std::string(is) +
                     ", but ?codec= of the broker's URL says " + std::string(set));
}

void require_keys(const decoder& in, std::initializer_list<std::pair<std::string_view, bool>> keys) {
  for (const auto& [name, there] : keys)
    if (!there) in.fail("key " + std::string(name) + " is missing");
}

constexpr bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// A counter of starts; None where nobody counted.
int read_try(decoder& in) {
  if (in.try_nil()) return 0;
  return static_cast<int>(std::clamp<std::int64_t>(in.integer(), 0, std::numeric_limits<int>::max()));
}

}  // namespace

class arq_payloads::state {
 public:
  explicit state(arq_codec codec)
      : codec_(codec), lenient_(pickle_options{.unknown_objects_as_exceptions = true}) {}

  arq_codec codec() const noexcept { return codec_; }

  std::string write_job(const arq_job& job) {
    record_parts parts;
    try {
      others_.clear();
      parts = read_record(job.record, others_);
      if (job.expires_at_ms) {
        std::string moment;
        encoder(moment).integer(*job.expires_at_ms);
        others_.add("expires_at", moment);
      }
      return written(job.record.size(), [&]<class Document>(std::string& out) {
        write_job_as<Document>(out, job, parts, others_);
      });
    } catch (const decode_error& e) {
      throw invalid_argument((parts.task.empty() ? "" : std::string(parts.task) + ": ") + e.what());
    }
  }

  arq_job_in read_job(std::string_view payload) {
    arq_job_in job;
    decoder in(as_msgpack(payload, "job payload"), "job payload");
    others_.clear();
    std::string_view function, arguments, given_by_name;
    bool has_function = false, has_try = false, has_time = false;
    read_map(in, [&](std::string_view key) {
      if (key == "t") {
        job.try_at_least = read_try(in);
        has_try = true;
      } else if (key == "f") {
        function = in.text();
        has_function = true;
      } else if (key == "a") {
        arguments = raw_of(in, value_type::array);
      } else if (key == "k") {
        given_by_name = keywords(in);
      } else if (key == "et") {
        job.enqueued_ms = in.integer(0, last_moment_ms);
        has_time = true;
      } else if (key == "quarq") {
        read_our_options(in, job);
      } else {
        in.skip();
      }
    });
    in.finish();
    require_keys(in, {{"t", has_try},
                      {"f", has_function},
                      {"a", !arguments.empty()},
                      {"k", !given_by_name.empty()},
                      {"et", has_time}});
    write_record(job.record, function, arguments, given_by_name);
    return job;
  }

  std::string write_end(const arq_end& end) {
    try {
      others_.clear();
      const record_parts job = read_record(end.record, others_);
      others_.clear();
      const end_parts parts = read_outcome(end.outcome, others_);
      return write_readable_end(end, job, parts);
    } catch (const decode_error& e) {
      throw invalid_argument(e.what());
    }
  }

  arq_end_in read_end(std::string_view payload) {
    arq_end_in end;
    try {
      decoder in(as_msgpack(payload, "result payload"), "result payload");
      read_end_from(in, end);
    } catch (const decode_error&) {
      // In a failure any class may stand, of which its name says enough.
      if (codec_ != arq_codec::pickle || looks_like_msgpack(payload)) throw;
      scratch_.clear();
      lenient_.append_msgpack(scratch_, payload, "result payload");
      decoder in(scratch_, "result payload");
      end = {};
      if (read_end_from(in, end)) throw;
    }
    return end;
  }

 private:
  template <class Write>
  std::string written(std::size_t expected, Write write) {
    std::string out;
    out.reserve(expected + 64);
    if (codec_ == arq_codec::pickle) {
      write.template operator()<pickle_document>(out);
    } else {
      write.template operator()<msgpack_document>(out);
    }
    return out;
  }

  std::string_view as_msgpack(std::string_view payload, std::string_view what) {
    if (codec_ == arq_codec::msgpack) {
      if (looks_like_pickle(payload)) fail_other_codec(what, "a pickle", "msgpack");
      return payload;
    }
    if (looks_like_msgpack(payload)) fail_other_codec(what, "msgpack", "pickle");
    scratch_.clear();
    strict_.append_msgpack(scratch_, payload, what);
    return scratch_;
  }

  void read_our_options(decoder& in, arq_job_in& job) {
    read_map(in, [&](std::string_view key) {
      if (key == "expires_at") {
        job.expires_at_ms = in.integer(0, last_moment_ms);
      } else if (is_one_of(key, {"f", "a", "k", "unreadable"})) {
        in.skip();
      } else {
        others_.add(key, in.raw());
      }
    });
  }

  void write_record(std::string& out, std::string_view function, std::string_view arguments,
                    std::string_view given_by_name) {
    const bool by_name = given_by_name != no_keywords;
    out.reserve(function.size() + arguments.size() + given_by_name.size() + others_.encoded.size() + 16);
    encoder record(out);
    record.map(2 + (by_name ? 1 : 0) + others_.count);
    record.text("f");
    record.text(function);
    record.text("a");
    record.raw(arguments);
    if (by_name) {
      record.text("k");
      record.raw(given_by_name);
    }
    record.raw(others_.encoded);
  }

  std::string write_readable_end(const arq_end& end, const record_parts& job, const end_parts& parts) {
    const std::size_t size = end.record.size() + end.outcome.size();
    std::optional<python_error> error;
    if (end.state != job_state::succeeded) {
      others_.add("state", encoded_text(to_string(end.state)));
      error = python_error_of({.state = end.state,
                               .readable = job.known,
                               .task = parts.task,
                               .tries = parts.tries,
                               .type = parts.error_type,
                               .message = parts.error});
    }
    const auto write = [&]<class Document>(std::string& out) {
      write_end_as<Document>(out, end, job, parts, others_, error);
    };
    try {
      return written(size, write);
    } catch (const decode_error& e) {
      if (error) throw;
      error = python_error{{}, std::string("unable to serialize result: ") + e.what()};
    }
    others_.add("state", encoded_text(to_string(end.state)));
    std::string exact;
    encoder(exact).binary(parts.result);
    others_.add("r", exact);
    return written(size, write);
  }

  /// Says whether the job succeeded.
  bool read_end_from(decoder& in, arq_end_in& end) {
    others_.clear();
    end_parts parts;
    std::optional<bool> success;
    std::optional<job_state> told;
    std::string_view exact;
    bool has_try = false, has_function = false, has_arguments = false, has_keywords = false;
    bool has_enqueued = false, has_started = false, has_finished = false;
    read_map(in, [&](std::string_view key) {
      if (key == "t") {
        parts.tries = read_try(in);
        has_try = true;
      } else if (key == "f") {
        parts.task = in.text();
        has_function = true;
      } else if (key == "a") {
        raw_of(in, value_type::array);
        has_arguments = true;
      } else if (key == "k") {
        keywords(in);
        has_keywords = true;
      } else if (key == "et") {
        parts.enqueued_ms = in.integer(0, last_moment_ms);
        has_enqueued = true;
      } else if (key == "st") {
        parts.started_ms = in.integer(0, last_moment_ms);
        has_started = true;
      } else if (key == "ft") {
        parts.finished_ms = in.integer(0, last_moment_ms);
        has_finished = true;
      } else if (key == "s") {
        success = in.boolean();
      } else if (key == "r") {
        parts.result = in.raw();
      } else if (key == "q") {
        end.queue = in.text();
      } else if (key == "id") {
        end.id = in.text();
      } else if (key == "quarq") {
        read_our_end(in, told, exact);
      } else {
        in.skip();
      }
    });
    in.finish();
    require_keys(in, {{"t", has_try},
                      {"f", has_function},
                      {"a", has_arguments},
                      {"k", has_keywords},
                      {"et", has_enqueued},
                      {"s", success.has_value()},
                      {"r", !parts.result.empty()},
                      {"st", has_started},
                      {"ft", has_finished}});
    if (!exact.empty()) parts.result = exact;
    end.state = told.value_or(*success ? job_state::succeeded : job_state::failed);
    if (!*success && !told) end.state = add_python_error(parts.result, parts.task);
    write_outcome(end.outcome, parts, end.state == job_state::succeeded);
    return *success;
  }

  void read_our_end(decoder& in, std::optional<job_state>& told, std::string_view& exact) {
    read_map(in, [&](std::string_view key) {
      if (key == "state") {
        const std::string_view word = in.text();
        told = job_state_from(word);
        if (!told || !is_final(*told))
          in.fail("expected the state of an ended job, got \"" + std::string(word) + '"');
      } else if (key == "r") {
        exact = in.binary();
        decoder whole(exact, "result payload: field quarq.r");
        whole.skip();
        whole.finish();
      } else if (is_one_of(key, {"f", "t", "et", "st", "ft"})) {
        in.skip();
      } else {
        others_.add(key, in.raw());
      }
    });
  }

  job_state add_python_error(std::string_view result, std::string_view task) {
    const our_error e = our_error_of(result, task);
    others_.add("error_type", encoded_text(e.type));
    std::string message;
    encoder(message).binary(e.message);
    if (!e.message.empty()) others_.add("error", message);
    return e.state;
  }

  void write_outcome(std::string& out, const end_parts& parts, bool succeeded) {
    out.reserve(parts.task.size() + parts.result.size() + others_.encoded.size() + 48);
    encoder outcome(out);
    outcome.map(5 + (succeeded ? 1 : 0) + others_.count);
    const auto number = [&](std::string_view name, std::int64_t value) {
      outcome.text(name);
      outcome.integer(value);
    };
    outcome.text("f");
    outcome.text(parts.task);
    number("t", parts.tries);
    number("et", parts.enqueued_ms);
    number("st", parts.started_ms);
    number("ft", parts.finished_ms);
    if (succeeded) {
      outcome.text("r");
      outcome.raw(parts.result);
    }
    outcome.raw(others_.encoded);
  }

  arq_codec codec_;
  pickle_reader strict_, lenient_;
  std::string scratch_;  ///< a pickle as msgpack: what is read points into it
  fields others_;
};

arq_payloads::arq_payloads(arq_codec codec) : state_(std::make_unique<state>(codec)) {}
arq_payloads::~arq_payloads() = default;
arq_payloads::arq_payloads(arq_payloads&&) noexcept = default;
arq_payloads& arq_payloads::operator=(arq_payloads&&) noexcept = default;

arq_codec arq_payloads::codec() const noexcept {
  return state_->codec();
}

std::string arq_payloads::write_job(const arq_job& job) {
  return state_->write_job(job);
}

arq_job_in arq_payloads::read_job(std::string_view payload) {
  return state_->read_job(payload);
}

std::string arq_payloads::write_end(const arq_end& end) {
  return state_->write_end(end);
}

arq_end_in arq_payloads::read_end(std::string_view payload) {
  return state_->read_end(payload);
}

std::string unreadable_record(std::string_view why) {
  std::string out;
  encoder record(out);
  record.map(1);
  record.text("unreadable");
  record.binary(why);
  return out;
}

std::string unknown_record() {
  std::string out;
  encoder record(out);
  record.map(2);
  record.text("f");
  record.text(unknown_function);
  record.text("a");
  record.array(0);
  return out;
}

}  // namespace quarq::broker
