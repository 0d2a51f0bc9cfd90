// Messages as bytes. Nothing that could split a message gets through: all of these throw quarq::usage_error for CR,
// LF, NUL or a space where the grammar has none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <quarq/http/fields.hpp>

namespace quarq::http {

/// "GET /x HTTP/1.1", the fields, and the blank line.
void append_request_header(std::string& out, std::string_view method, std::string_view target,
                           const fields& headers);
/// The first line of a request.
void append_request_line(std::string& out, std::string_view method, std::string_view target);
/// "HTTP/1.1 200 OK", the fields, and the blank line. An empty reason is the status' own (RFC 9110, 15).
void append_response_header(std::string& out, int status, const fields& headers,
                            std::string_view reason = {});
/// The first line of a response.
void append_status_line(std::string& out, int status, std::string_view reason = {});
/// "Name: value" and the end of the line. REQUIRES: the field comes from http::fields, which has checked it.
void append_field(std::string& out, const field& one);
/// A chunk of a chunked body; nothing for empty data, which would end the body.
void append_chunk(std::string& out, std::string_view data);
/// The end of a chunked body.
void append_last_chunk(std::string& out);

/// "Not Found" for 404, "" for a status without a name.
std::string_view reason_of(int status) noexcept;
/// Whether it is a token (RFC 9110, 5.6.2): a method, a field's name.
bool is_token(std::string_view text) noexcept;
/// Whether it can be a field's value: no control characters but the tab.
bool is_field_value(std::string_view text) noexcept;

}  // namespace quarq::http
