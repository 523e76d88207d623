#include "runtime/ort_message.h"

#include <cctype>

namespace quantsearch {

namespace {

bool is_space(char letter) { return std::isspace(static_cast<unsigned char>(letter)) != 0; }
bool is_digit(char letter) { return std::isdigit(static_cast<unsigned char>(letter)) != 0; }
bool is_word(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

std::string joined_lines(std::string_view message) {
  std::string line;
  for (const char letter : message) {
    if (!is_space(letter))
      line += letter;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

/// Position after the bracketed group that opens at `open`; npos when it does not close.
std::size_t skip_group(std::string_view text, std::size_t open) {
  const char opening = text[open];
  const char closing = opening == '(' ? ')' : opening == '[' ? ']' : '>';
  int depth = 0;
  for (std::size_t at = open; at < text.size(); ++at) {
    if (text[at] == opening) ++depth;
    if (text[at] == closing && --depth == 0) return at + 1;
  }
  return std::string_view::npos;
}

/// Length of the function that ONNX Runtime prints after file and line, with the space after it; 0
/// when there is none. It is a bare name ("LoadModel") or a whole signature:
/// "void onnxruntime::Iterator::Init(ptrdiff_t, ptrdiff_t) [with T = float]".
std::size_t function_length(std::string_view text) {
  // A signature: words, scopes, template arguments, * and & up to "(", one of them scoped by "::".
  bool is_scoped = false;
  std::size_t at = 0;
  while (at < text.size() && text[at] != '(') {
    if (text[at] == '<') {
      at = skip_group(text, at);
      if (at == std::string_view::npos) break;
      continue;
    }
    if (text.substr(at, 2) == "::") is_scoped = true;
    if (!is_word(text[at]) && std::string_view(": *&~=,").find(text[at]) == std::string_view::npos)
      break;
    ++at;
  }
  if (is_scoped && at < text.size() && text[at] == '(') {
    at = skip_group(text, at);
    for (const std::string_view suffix : {" const", " noexcept"}) {
      if (at != std::string_view::npos && text.substr(at).starts_with(suffix)) at += suffix.size();
    }
    if (at != std::string_view::npos && text.substr(at).starts_with(" ["))
      at = skip_group(text, at + 1);
    if (at == std::string_view::npos) return 0;
    return at < text.size() && text[at] == ' ' ? at + 1 : at;
  }
  // A bare name: one word that looks like code (an inner capital or "operator()"), not the first
  // word of a sentence.
  std::size_t word = 0;
  bool has_inner_capital = false;
  while (word < text.size() && is_word(text[word])) {
    if (word > 0 && std::isupper(static_cast<unsigned char>(text[word])) != 0)
      has_inner_capital = true;
    ++word;
  }
  if (text.substr(word).starts_with("()"))
    word += 2;
  else if (!has_inner_capital)
    return 0;
  return word < text.size() && text[word] == ' ' ? word + 1 : 0;
}

/// Removes the first "…/file.cc:123 function " from `line`; false when there is none.
bool remove_source_location(std::string& line) {
  for (const std::string_view extension : {".cc:", ".h:", ".cpp:", ".hpp:"}) {
    const std::size_t dot = line.find(extension);
    if (dot == std::string::npos) continue;
    std::size_t end = dot + extension.size();
    if (end >= line.size() || !is_digit(line[end])) continue;
    while (end < line.size() && is_digit(line[end])) ++end;
    if (end < line.size() && line[end] == ' ') ++end;
    std::size_t begin = dot;
    while (begin > 0 && line[begin - 1] != ' ') --begin;
    end += function_length(std::string_view(line).substr(end));
    line.erase(begin, end - begin);
    return true;
  }
  return false;
}

}  // namespace

std::string one_line(std::string_view message) {
  std::string line = joined_lines(message);
  while (remove_source_location(line)) {
  }
  return line;
}

}  // namespace quantsearch
