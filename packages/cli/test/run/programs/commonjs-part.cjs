// A part of a program in CommonJS, which wants to know where that is.

exports.main = () => require.main.filename;
