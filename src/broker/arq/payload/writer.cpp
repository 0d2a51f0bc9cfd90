#include "broker/arq/payload/writer.hpp"

#include "codecs/python/pickle.hpp"

namespace quarq::broker::arq {
namespace {

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
  pickle_document(std::string& out, std::string_view given) : out_(out, given) {}

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
  codecs::python::pickle_writer out_;
  std::string map_;
};

template <class Document>
void finish(Document& doc, const fields& others) {
  if (others.count != 0) {
    doc.key("quarq");
    doc.map_of(others);
  }
  doc.finish();
}

template <class Document>
void write_job(std::string& out, const arq_job& job, const record_fields& parts, const fields& others) {
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
  finish(doc, others);
}

/// Of a result, all but the call.
template <class Document>
void write_what_came(Document& doc, const arq_end& end, const end_fields& parts,
                     const std::optional<python_error>& error) {
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
}

template <class Document>
void write_end(std::string& out, const arq_end& end, const record_fields& job, const end_fields& parts,
               const fields& others, const std::optional<python_error>& error) {
  Document doc(out, others.count == 0 ? 11 : 12);
  doc.key("t");
  doc.integer(parts.attempts);
  doc.key("f");
  doc.text(job.known ? job.task : parts.task.empty() ? unknown_function : parts.task);
  doc.key("a");
  doc.arguments(job.known ? job.arguments : no_arguments);
  doc.key("k");
  doc.value(job.known ? job.keywords : no_keywords);
  doc.key("et");
  doc.integer(parts.enqueued_ms);
  write_what_came(doc, end, parts, error);
  finish(doc, others);
}

/// To the job as it was given. Its own key "quarq" is replaced, too.
void add_end(std::string& out, const arq_end& end, const end_fields& parts, const fields& others,
             const std::optional<python_error>& error) {
  pickle_document doc(out, end.given);
  doc.key("t");
  doc.integer(parts.attempts);
  write_what_came(doc, end, parts, error);
  doc.key("quarq");
  doc.map_of(others);
  doc.finish();
}

template <class Write>
std::string written(arq_codec codec, std::size_t expected, Write write) {
  std::string out;
  out.reserve(expected + 64);
  if (codec == arq_codec::pickle) {
    write.template operator()<pickle_document>(out);
  } else {
    write.template operator()<msgpack_document>(out);
  }
  return out;
}

}  // namespace

std::string write_job_as(arq_codec codec, const arq_job& job, const record_fields& parts,
                         const fields& others) {
  return written(codec, job.record.size(),
                 [&]<class Document>(std::string& out) { write_job<Document>(out, job, parts, others); });
}

std::string write_end_as(arq_codec codec, const arq_end& end, const record_fields& job,
                         const end_fields& parts, const fields& others,
                         const std::optional<python_error>& error) {
  if (!end.given.empty()) {
    std::string out;
    out.reserve(end.given.size() + end.outcome.size() + 256);
    add_end(out, end, parts, others, error);
    return out;
  }
  const auto size = end.record.size() + end.outcome.size();
  return written(codec, size, [&]<class Document>(std::string& out) {
    write_end<Document>(out, end, job, parts, others, error);
  });
}

}  // namespace quarq::broker::arq
