IO.inspect [1_000, 0xFF, 0o17, 0b101, 1.5, 1.0e3, 2.5e-3, -7, +3]
IO.inspect 123456789012345678901234567890
IO.inspect [?a, ?\n, ?\s, ?é, ?\\]
IO.inspect [:a, :"hello world", :"a\nb", :+, :==, :foo?, :bar!, true, nil, Foo.Bar, :Elixir]
IO.inspect "tab\tquote\" \\ \x41 \u00e9 \u{1F600} \#{no}"
IO.inspect "\xFF\x00"
IO.inspect 'abc'
IO.inspect ~c"a'b"
IO.inspect ''
IO.inspect ~s(with "quotes" and #{1 + 1})
IO.inspect ~S(raw #{x} \n)
IO.inspect ~w(one two three)
IO.inspect ~w(a b c)a
IO.inspect ~w(a b)c
n = 3
IO.inspect ~w(x#{n} y)
IO.inspect "n is #{n}, atom #{:ok}, list #{'abc'} nested #{"in #{n * 2}"}"
IO.inspect 'char #{n}'
IO.inspect :"atom #{n}"
IO.inspect """
heredoc
  indented
"quotes"
last\
joined
"""
IO.inspect """
  deep #{n}
    more
  """
IO.inspect '''
chars
'''
IO.inspect ~S'''
raw \n
'''
IO.inspect {1, {2}, {}}
IO.inspect [a: 1, "b c": 2, d: [e: 3]]
IO.inspect %{:a => 1, "b" => 2, 3 => %{}}
IO.inspect %{a: 1, b: 2}
IO.inspect [1, 2 | [3]]
IO.inspect [1 | 2]
IO.inspect {:ok, a: 1}
IO.inspect [{:a, 1}, {:b, 2}]
IO.inspect 1..10
IO.inspect 1..10//3
IO.inspect 10..1
IO.inspect [if: 1, do: 2, end: 3]
IO.inspect %{"key": 1}
